# `safelight serve` in a container: docs/containers.md.
FROM python:3.13-slim AS build
WORKDIR /sources
COPY . .
RUN python -m venv /opt/safelight && /opt/safelight/bin/pip install --no-cache-dir '.[redis]'

FROM python:3.13-slim
COPY --from=build /opt/safelight /opt/safelight
ENV PATH=/opt/safelight/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Nobody's: it owns no file, and nothing has to be written. A number is known to be no root without a look inside.
USER 65534:65534
WORKDIR /tmp
EXPOSE 8123
# Once the port takes connections, a request is answered, perhaps a moment later. To connect is in no log and no journal.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --start-interval=1s \
    CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8123), 2).close()"]
ENTRYPOINT ["safelight"]
CMD ["serve", "--host", "0.0.0.0"]
