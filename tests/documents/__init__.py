"""Documents that run: the README, the pages in docs/ and the docstrings are tests.

A fenced block is judged by its language:

| block | what happens |
|---|---|
| `python` | is executed; all blocks of a document share one namespace; one that starts with `>>>` is a doctest |
| `bash`, `console` | runs in the document's own folder; variables and `cd` last until the end of the document |
| `json`, `toml` | is parsed |
| `text`, `mermaid` | is for the reader |
| any other | is refused, unless it carries a marker |

A bash block that ends in `safelight serve ...` is a server in the foreground: it is started, waited for until it
answers, and ended with the document or by the next server. In a `console` block the lines that start with `$ ` are
the commands, what stands below a command is its output, and `> ` continues a command.

A marker is an HTML comment on its own line above the block:

| marker | meaning |
|---|---|
| `<!-- output -->` | this `text` or `json` block is what the block before printed; `...` stands for anything |
| `<!-- exit: 1 -->` | the command below ends with this status instead of 0 |
| `<!-- file: safelight.toml -->` | the block is a file of that name in the document's folder, and not run |
| `<!-- command: tests -->` | the command below is one that `.ci/run` runs as it stands |
| `<!-- not run: reason -->` | the block below is left alone, and the reason says why |

Port 8123 is a free port in a run, another one for each document. Blocks run in the order of the page: a block
that is run alone (`pytest README.md -k line:40`) has the blocks before it run first.
"""
