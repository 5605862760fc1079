"""Whether the bucket of a tracking server is there and open to it. Credentials are boto3's own."""

from typing import Final

from skincli.errors import SkincliError, UsageError

_HINT: Final = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment say who opens it"


def require_bucket(name: str, endpoint: str | None) -> None:
    """Raises UsageError when it is missing or closed, SkincliError when its service is away."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    patience = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=10)
    try:
        boto3.client("s3", endpoint_url=endpoint, config=patience).head_bucket(Bucket=name)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            raise UsageError(
                f"there is no bucket `{name}`", "make it, or name another with tracking.artifacts"
            ) from None
        raise UsageError(f"the bucket `{name}` is not open to us ({status})", _HINT) from None
    except NoCredentialsError:
        raise UsageError(f"the bucket `{name}` needs credentials", _HINT) from None
    except (BotoCoreError, ValueError) as error:
        raise SkincliError(
            f"the bucket `{name}` cannot be reached: {error}",
            "tracking.s3_endpoint is the address of a service that is not Amazon's",
        ) from None
