"""A bundle behind HTTP. The only room that imports FastAPI, Starlette and uvicorn.

::

    skincli serve = supervisor ─┬─ registry process   asks, fetches, verifies, tests: `following/`
                                │        │ pointer file
                                └─ workers ▼          uvicorn, FastAPI, inference threads
"""
