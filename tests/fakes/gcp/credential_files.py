"""Credential files of every type, as Google's tools write them, that lead to a fake. Those of service accounts come
from Account.key_file."""
TYPE = "urn:ietf:params:oauth:token-type:"
AWS_TYPE = "urn:ietf:params:aws:token-type:aws4_request"
IMPERSONATION = "/v1/{}:generateAccessToken"


def authorized_user(login, **more):
    return {"type": "authorized_user", "account": "", "client_id": login.client_id,
            "client_secret": login.client_secret, "refresh_token": login.refresh_token,
            "universe_domain": "googleapis.com", **more}


def external_account(services, audience, source, impersonated=None, **more):
    """`impersonated`: a service account."""
    if impersonated:
        more["service_account_impersonation_url"] = services.url + IMPERSONATION.format(impersonated.resource)
    return {"type": "external_account", "audience": audience, "subject_token_type": TYPE + "jwt",
            "token_url": services.url + "/v1/token", "credential_source": source,
            "universe_domain": "googleapis.com", **more}


def aws_source(url=None):
    """`url`: of the metadata of an instance; without, keys come from the environment."""
    source = {"environment_id": "aws1",
              "regional_cred_verification_url":
                  "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"}
    if url:
        source |= {"url": url + "/latest/meta-data/iam/security-credentials",
                   "region_url": url + "/latest/meta-data/placement/availability-zone",
                   "imdsv2_session_token_url": url + "/latest/api/token"}
    return source


def external_account_authorized_user(services, audience, login, **more):
    return {"type": "external_account_authorized_user", "audience": audience, "client_id": login.client_id,
            "client_secret": login.client_secret, "refresh_token": login.refresh_token,
            "token_url": services.url + "/v1/oauthtoken", "token_info_url": services.url + "/v1/introspect",
            "universe_domain": "googleapis.com", **more}


def impersonated_service_account(account, source, delegates=(), **more):
    """Clients send to the host of iamcredentials, whatever the file says: the test has to lead them here."""
    return {"type": "impersonated_service_account", "source_credentials": source,
            "delegates": [delegate.resource for delegate in delegates],
            "service_account_impersonation_url": "https://iamcredentials.googleapis.com"
                                                 + IMPERSONATION.format(account.resource), **more}
