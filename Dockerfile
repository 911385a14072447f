# Two images of one checkout: `web` serves and carries no torch, `worker` trains.
#
#   docker build --target web -t dreamgate-web .
#   docker build --target worker -t dreamgate-worker .
#
# On Linux the registry's torch brings CUDA. For a worker without a GPU, name an index that has a CPU build:
#   docker build --target worker --build-arg TORCH_INDEX=ADDRESS -t dreamgate-worker .

ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/dreamgate/bin:$PATH
WORKDIR /src
RUN python -m venv /opt/dreamgate
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY dreamer_core dreamer_core
COPY server server
COPY worker worker
COPY templates templates
COPY migrations migrations

FROM build AS build-web
RUN pip install --constraint constraints.txt ".[server]" \
 && pip install --no-deps --require-hashes --target /opt/dreamgate/share/dreamgate/assets --requirement server/assets.txt

FROM build AS build-worker
ARG TORCH_INDEX=
RUN pip install --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} ".[worker,pixels,viz]"

# What both run as: an account that owns nothing but the folder for data.
FROM python:${PYTHON}-slim-bookworm AS base
ENV PATH=/opt/dreamgate/bin:$PATH PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1
RUN useradd --uid 8420 --create-home dreamgate && install --directory --owner dreamgate /data
WORKDIR /data
VOLUME /data

FROM base AS web
COPY --from=build-web /opt/dreamgate /opt/dreamgate
ENV DREAMGATE_DATA=/data DREAMGATE_HOST=0.0.0.0
USER dreamgate
EXPOSE 8420
# 503 without a database. Without a broker it still works, and starting it again would not help.
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8420/health', timeout=5)"]
CMD ["dreamgate", "serve"]

FROM base AS worker
# A worker that is given DREAMGATE_SOURCE_REPO runs the commit that a job names.
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
COPY --from=build-worker /opt/dreamgate /opt/dreamgate
ENV DREAMGATE_RUNS=/data/runs
USER dreamgate
HEALTHCHECK --interval=60s --timeout=15s --start-period=60s CMD ["dreamgate", "doctor", "--strict", "--only", "worker"]
CMD ["dreamgate", "worker"]
