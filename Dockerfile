# One image for all services: the command chooses which. Packages come from requirements.lock alone, checked by hash.
FROM python:3.13-slim AS packages
RUN python -m venv /opt/tessera
COPY requirements.lock /tmp/requirements.lock
RUN /opt/tessera/bin/pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary=:all: -r /tmp/requirements.lock

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin tessera
COPY --from=packages /opt/tessera /opt/tessera
WORKDIR /app
COPY cli cli
COPY deploy deploy
COPY services services
COPY shared shared
ENV PATH=/opt/tessera/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1
# Compiled once here, so that the file system can be read-only.
RUN python -m compileall -q /app
USER 10001:10001
ENTRYPOINT ["python", "-m"]
CMD ["cli", "--help"]
