"""The request that is measured: the original document's example, every parameter but the model."""

BODY = {
    "prompt": "1girl, white hair, blue eyes, starry sky, masterpiece",
    "negative_prompt": "lowres, bad quality, watermark",
    "width": 768,
    "height": 1024,
    "steps": 20,
    "workflow": "rr3",
    "seed": -1,
    "cfg": 6,
}
