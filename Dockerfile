# `skincli serve` without torch: docs/docker.md tells how to build and run it.
# A tag moves with security updates. For a build that stays the same, add the digest to both
# FROM lines: python:3.13-slim-trixie@sha256:…
FROM python:3.13-slim-trixie AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/skincli && mkdir data
COPY requirements-server.txt constraints.txt ./
# psycopg: for a prediction journal in PostgreSQL.
RUN pip --python /opt/skincli/bin/python install --no-cache-dir -c constraints.txt \
    -r requirements-server.txt 'psycopg[binary]'
COPY pyproject.toml README.md LICENSE ./
COPY configs configs
COPY skincli skincli
RUN pip --python /opt/skincli/bin/python install --no-cache-dir --no-deps .

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="skincli" \
    org.opencontainers.image.description="Classifies dermatoscopy images over HTTP. No medical device." \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.source="https://github.com/skincli/skincli"
COPY --from=build /opt/skincli /opt/skincli
COPY --from=build --chown=10001:10001 /src/data /data
# Fails where the base lacks a library, and leaves the bytecode of the standard library, which
# the base comes without and a read-only file system would never keep.
RUN MLFLOW_DISABLE_TELEMETRY=true /opt/skincli/bin/python -c \
    "import mlflow.artifacts, psycopg, skincli.prediction.predict, skincli.serving.run"
ENV PATH=/opt/skincli/bin:$PATH \
    HOME=/data \
    USER=skincli \
    XDG_CACHE_HOME=/data/cache \
    PYTHONUNBUFFERED=1 \
    SKINCLI__SERVE__HOST=0.0.0.0 \
    SKINCLI__SERVE__PORT=8000
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=2m --start-interval=2s CMD ["python", "-c", \
    "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['SKINCLI__SERVE__PORT']), timeout=4); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["skincli"]
CMD ["serve"]
