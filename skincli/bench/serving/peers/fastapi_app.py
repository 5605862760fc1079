"""A plain FastAPI application with as many threads as cores: `uvicorn fastapi_app:app`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from engines import WORKERS, load
from fastapi import FastAPI, UploadFile

app = FastAPI()
model = load()
pool = ThreadPoolExecutor(WORKERS)


@app.post("/predict")
async def predict(image: UploadFile) -> dict[str, list[float]]:
    data = await image.read()
    return {"logits": await asyncio.get_running_loop().run_in_executor(pool, model, data)}
