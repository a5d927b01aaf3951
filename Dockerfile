# Parc Fermé in a container: see docs/operating.md. Configuration is mounted at /etc/parcferme, the log lives on the volume /var/lib/parcferme.

FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements/build.txt requirements/image.txt requirements/
RUN python -m venv --without-pip /opt/parcferme \
 && python -m pip --python /opt/parcferme/bin/python install --no-cache-dir --require-hashes -r requirements/image.txt \
 && python -m pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY timing timing
COPY replay replay
COPY config config
RUN python -m hatchling build -t wheel -d dist \
 && python -m pip --python /opt/parcferme/bin/python install --no-cache-dir --no-deps --no-index dist/*.whl

FROM python:3.13-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/parcferme --shell /usr/sbin/nologin parcferme \
 && install -d -o parcferme -g parcferme /var/lib/parcferme /etc/parcferme
COPY --from=build /opt/parcferme /opt/parcferme
COPY config/timing.toml /etc/parcferme/timing.toml
ENV PATH=/opt/parcferme/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TIMING_LOG=/var/lib/parcferme/parcferme.db \
    TIMING_MQTT_HOST=0.0.0.0 \
    TIMING_FEED_HOST=0.0.0.0 \
    TIMING_WEB_HOST=0.0.0.0
USER parcferme
WORKDIR /var/lib/parcferme
VOLUME /var/lib/parcferme
EXPOSE 1883 8080 8765
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
CMD ["timing", "serve", "--config", "/etc/parcferme/timing.toml"]
