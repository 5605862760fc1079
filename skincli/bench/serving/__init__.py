"""The service beside other servers of the same model, and beside the least that it could cost."""
