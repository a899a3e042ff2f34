"""What Google's own libraries do in the place of `qsecrets get` and of gcp_bench; the environment says where.

gcp_python.py value ENDPOINT VERSION FIELD: prints the field. gcp_python.py credentials: gets a token and prints how
many milliseconds that took once google-auth was imported. gcp_python.py memory ENDPOINT VERSION: reads it and prints
its own peak memory.
"""
import json
import sys
import time


def get_token():
    import google.auth
    import google.auth.jwt
    from google.auth.transport.requests import Request
    from google.oauth2 import service_account

    begin = time.perf_counter()
    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    if isinstance(credentials, service_account.Credentials):  # as Secret Manager's client does it
        credentials = google.auth.jwt.Credentials.from_signing_credentials(
            credentials, "https://secretmanager.googleapis.com/")
    credentials.refresh(Request())
    print((time.perf_counter() - begin) * 1000)


def read(endpoint, version):
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

    client = SecretManagerServiceClient(transport="rest", client_options={"api_endpoint": endpoint})
    return json.loads(client.access_secret_version(name=version).payload.data)


def peak_memory(endpoint, version):
    read(endpoint, version)
    with open("/proc/self/status", encoding="ascii") as status:
        print(next(line for line in status if line.startswith("VmHWM")).split()[1])


if __name__ == "__main__":
    if sys.argv[1] == "credentials":
        get_token()
    elif sys.argv[1] == "memory":
        peak_memory(*sys.argv[2:])
    else:
        print(read(*sys.argv[2:4])[sys.argv[4]])
