# docker build -t pybuild . && docker run --rm -v "$PWD/mysite:/site" -u "$(id -u):$(id -g)" pybuild export
FROM python:3.13-slim AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.13-slim
# git tells when documents were changed; a mounted repository belongs to another user
RUN apt-get update \
    && apt-get install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*'
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels pybuild-export
WORKDIR /site
ENTRYPOINT ["pybuild"]
CMD ["export"]
