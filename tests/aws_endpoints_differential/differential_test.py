#!/usr/bin/env python3
"""Compares the endpoints and settings that we read from environment and files with boto3's.

differential_test.py ENDPOINT_DUMP [RANDOM_CASES [SEED]]

Every region that botocore's partitions.json lists and some that it does not, by each service and setting that its
rules ask for; each way to configure an endpoint, alone and with the others; random configurations. The differences
that are wanted are those of `difference_wanted`; each has to occur, and no other may.
"""
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile

try:
    import botocore
    from botocore.loaders import Loader
    from botocore.session import Session
    from botocore.utils import resolve_imds_endpoint_mode
except ImportError:
    print("skipped: botocore is not installed for", sys.executable)
    sys.exit(77)

OPERATIONS = {"secretsmanager": "GetSecretValue", "sts": "AssumeRole", "sso": "GetRoleCredentials",
              "sso-oidc": "CreateToken"}
VARIABLE_OF = {"secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER", "sts": "AWS_ENDPOINT_URL_STS",
               "sso": "AWS_ENDPOINT_URL_SSO", "sso-oidc": "AWS_ENDPOINT_URL_SSO_OIDC"}
KEY_OF = {"secretsmanager": "secrets_manager", "sts": "sts", "sso": "sso", "sso-oidc": "sso_oidc"}
UNLISTED_REGIONS = ["xx-moon-1", "us-east-99", "cn-x-1", "us-gov-north-7", "us-iso-z-1", "us-isob-z-1", "eu-isoe-z-1",
                    "us-isof-z-1", "eusc-de-west-2", "eusc-fr-west-1", "local", "US-EAST-1", "us-east-1x", "usx-east-1",
                    "fips-us-east-1", "us-gov-west-1-fips", "us-east", "us--1", "x", "9-9", "us-gov-iso-east-1",
                    "123", "-a", "a-", "a.b", "a_b", "a/b", "a" * 63, "a" * 64]
WITH_CONFIGURED_ENDPOINT = ["eu-west-1", "us-gov-west-1", "cn-north-1", "eu-isoe-west-1", "us-isof-z-1", "xx-moon-1",
                            "aws-global", "fips-us-east-1", "123"]
URLS = ["https://e.test", "https://e.test/", "https://e.test:8443/a/b", "https://e.test/a/", "http://127.0.0.1:4566",
        "http://localhost:4566/x", "https://[::1]:8/", "http://10.0.0.1"]
NOT_URLS = ["e.test", "https://", "https://e..test/"]
# Which boto3 takes, and fails with later, or sends along.
ODD_URLS = ["ftp://e.test", "//e.test", "https://u:p@e.test", "https://e.test/?q=1", "https://e.test/#f", " https://e.test"]

# Variable, key of a profile, values.
SETTINGS = [
    ("AWS_DEFAULT_REGION", "region", ["eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1", "fips-us-west-2"]),
    ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", ["true", "TRUE", "false", "False", "1", "yes"]),
    ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", ["true", "True", "false", "on"]),
    ("AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints", ["legacy", "regional"]),
    ("AWS_RETRY_MODE", "retry_mode", ["standard", "legacy", "adaptive", "Standard", "x"]),
    ("AWS_MAX_ATTEMPTS", "max_attempts", ["1", "2", "10", "0", "-1", "x", "1.5"]),
    ("AWS_CA_BUNDLE", "ca_bundle", ["/ca.pem", "~/ca.pem"]),
    ("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout", ["1", "5", "x"]),
    ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts", ["1", "3", "x"]),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint",
     ["http://localhost:1338", "http://[fd00::1]", "https://imds.test/", "not a uri"]),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode", ["ipv4", "IPv6", "ipV6", "ipv5"]),
    ("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled", ["true", "false", "1"]),
    ("AWS_IMDS_USE_IPV6", "imds_use_ipv6", ["true", "false", "1"]),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls", ["true", "false", "1"]),
    ("AWS_ENDPOINT_URL", "endpoint_url", URLS),
]
BOOLEANS = {"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_EC2_METADATA_V1_DISABLED", "AWS_IMDS_USE_IPV6",
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"}

LOADER = Loader()
SESSIONS = {}


class Case:
    def __init__(self, service, environment, config="", has_own_session=False):
        self.service = service
        self.environment = environment
        self.config = config
        self.has_own_session = has_own_session  # what boto3 reads for it only once is part of it


def regional_cases():
    with open(os.path.join(os.path.dirname(botocore.__file__), "data", "partitions.json")) as file:
        partitions = json.load(file)["partitions"]
    regions = [region for partition in partitions for region in partition["regions"]] + UNLISTED_REGIONS
    for service, region, fips, dual_stack, sts, url in itertools.product(
            OPERATIONS, regions, ["", "true"], ["", "true"], ["", "legacy"], ["", "https://e.test/a"]):
        if (sts and service != "sts") or (url and region not in WITH_CONFIGURED_ENDPOINT):
            continue
        yield Case(service, {"AWS_DEFAULT_REGION": region, "AWS_USE_FIPS_ENDPOINT": fips,
                             "AWS_USE_DUALSTACK_ENDPOINT": dual_stack, "AWS_STS_REGIONAL_ENDPOINTS": sts,
                             "AWS_ENDPOINT_URL": url})
    for service, sts in itertools.product(OPERATIONS, ["", "legacy", "x"]):  # without a region
        if sts != "x" or service == "sts":
            yield Case(service, {"AWS_STS_REGIONAL_ENDPOINTS": sts})


def url_cases():
    for service, url in itertools.product(OPERATIONS, URLS + NOT_URLS + ODD_URLS):
        yield Case(service, {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ENDPOINT_URL": url})
        yield Case(service, {"AWS_DEFAULT_REGION": "eu-west-1", VARIABLE_OF[service]: url})


def precedence_cases():
    """Each subset of the places where an endpoint can be configured, by each way to ignore them."""
    for service, own, all_, section, profile, ignored, ignored_in_profile, name in itertools.product(
            OPERATIONS, [0, 1], [0, 1], [0, 1, 2, 3], [0, 1], ["", "true", "false"], ["", "true"], ["default", "dev"]):
        environment = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": ignored}
        if own:
            environment[VARIABLE_OF[service]] = "https://own.test"
        if all_:
            environment["AWS_ENDPOINT_URL"] = "https://all.test"
        config = "[default]\n"
        if name != "default":
            environment["AWS_PROFILE"] = name
            config = f"[default]\nendpoint_url = https://no.test\n[profile {name}]\n"
        if profile:
            config += "endpoint_url = https://profile.test\n"
        if ignored_in_profile:
            config += f"ignore_configured_endpoint_urls = {ignored_in_profile}\n"
        if section:
            config += "services = mine\n"
        if section == 1:
            config += f"[services mine]\n{KEY_OF[service]} =\n  endpoint_url = https://section.test\n"
        if section == 2:
            config += "[services mine]\ns3 =\n  endpoint_url = https://s3.test\n"
        yield Case(service, environment, config)


def random_cases(source, count):
    for _ in range(count):
        service = source.choice(list(OPERATIONS))
        environment, keys = {}, ""
        share = source.choice([0.1, 0.3, 0.6])
        for variable, key, values in SETTINGS:
            good = values if source.random() < 0.1 else values[:2]
            if source.random() < share:
                environment[variable] = source.choice(good + [""] if source.random() < 0.1 else good)
            if source.random() < share:
                keys += f"{key} = {source.choice(good)}\n"
        if source.random() < 0.2:
            environment["AWS_REGION"] = source.choice(["ap-south-1", ""])
        if source.random() < 0.2:
            environment["REQUESTS_CA_BUNDLE"] = "/requests.pem"
        if source.random() < 0.3:
            environment["AWS_PROFILE"] = "dev"
            keys = "[default]\nregion = sa-east-1\nuse_fips_endpoint = true\n[profile dev]\n" + keys
        else:
            keys = "[default]\n" + keys
        yield Case(service, environment, keys, has_own_session=True)


def session_for(case):
    key = None if case.has_own_session else (case.config, case.environment.get("AWS_PROFILE"))
    if key is None or key not in SESSIONS:
        session = Session()
        session.register_component("data_loader", LOADER)
        SESSIONS[key] = session
    return SESSIONS[key]


def what_boto3_does(case):
    """As a line of ENDPOINT_DUMP, or None where it refuses."""
    # We read AWS_REGION first, which boto3 does not, and an empty variable is as good as none here.
    environment = {name: value for name, value in case.environment.items() if value}
    if "AWS_REGION" in environment:
        environment["AWS_DEFAULT_REGION"] = environment["AWS_REGION"]
    os.environ.clear()
    os.environ.update(environment, AWS_ACCESS_KEY_ID="AKIDFAKE", AWS_SECRET_ACCESS_KEY="fake")
    try:
        session = session_for(case)
        client = session.create_client(case.service)
        context = {}
        url, _, _ = client._resolve_endpoint_ruleset(
            client.meta.service_model.operation_model(OPERATIONS[case.service]), {}, context)
        signing = context.get("signing", {})
        region = signing.get("region") or client._request_signer._region_name or ""
        name = signing.get("signing_name") or client._request_signer._signing_name
        retries = client.meta.config.retries
        mode = retries["mode"]
        attempts = retries.get("total_max_attempts") or (5 if mode == "legacy" else 3)
        verify = client._endpoint.http_session._verify
        variable = session.get_config_variable
        return "\t".join([
            url.rstrip("/"), region, name, "legacy" if mode == "legacy" else "standard", str(attempts),
            verify if isinstance(verify, str) else "",
            (variable("ec2_metadata_service_endpoint") or "").rstrip("/"), resolve_imds_endpoint_mode(session),
            str(variable("metadata_service_timeout") * 1000), str(variable("metadata_service_num_attempts")),
            "no v1" if variable("ec2_metadata_v1_disabled") else "v1"])
    except Exception:  # pylint: disable=broad-except
        return None


def in_effect(case, variable, key):
    profile = case.environment.get("AWS_PROFILE", "default")
    section = case.config.partition(f"[{'profile ' if profile != 'default' else ''}{profile}]\n")[2].partition("\n[")[0]
    in_file = dict(line.split(" = ", 1) for line in section.splitlines() if " = " in line)
    return case.environment.get(variable) or in_file.get(key, "")


def difference_wanted(case, ours, theirs):
    """Why the two may differ, or None."""
    refused = ours.startswith("ERR")
    region = in_effect(case, "AWS_DEFAULT_REGION", "region")
    for variable, key, _ in SETTINGS:
        value = in_effect(case, variable, key)
        if refused and variable in BOOLEANS and value.lower() not in ("", "true", "false"):
            return "we refuse what is neither true nor false, boto3 takes it as false"
    if refused and theirs is not None and region != region.lower():
        return "we refuse a region in capitals, for which AWS refuses what boto3 signs"
    if refused and theirs is not None and any(url in ODD_URLS for url in case.environment.values()):
        return "we refuse URLs with more than a host, a port and a path"
    if not refused and theirs is None and "https://e..test/" in case.environment.values():
        return "boto3 has rules of its own for names of hosts"
    if not refused and not region and theirs and ours == f"OK\t{theirs}".replace("\t\tsts", "\tus-east-1\tsts", 1):
        return "boto3 cannot sign at a configured STS without a region, we do for us-east-1"
    if refused and theirs is not None and "names a section that is not there" in ours:
        return "we refuse a missing section of services though it is for another service"
    if in_effect(case, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint") == "true":
        if not refused and theirs is None and "AWS_ENDPOINT_URL" in case.environment and "-iso" in region:
            return "boto3 refuses dual stack in two partitions even where the endpoint is configured"
        if refused and theirs is not None and region in ("aws-iso-e-global", "aws-iso-f-global"):
            return "boto3 knows in regions, not in their partition, that there is no dual stack"
    return None


def main():
    dump = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 700
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    cases = [*regional_cases(), *url_cases(), *precedence_cases(), *random_cases(random.Random(seed), count)]

    wanted, unwanted, refused = {}, 0, 0
    with tempfile.TemporaryDirectory() as home:
        files = {}
        for case in cases:
            if case.config not in files:
                files[case.config] = os.path.join(home, f"config{len(files)}")
                with open(files[case.config], "w") as file:
                    file.write(case.config)
            case.environment |= {"HOME": home, "AWS_CONFIG_FILE": files[case.config]}
        sent = "".join("\t".join([case.service, *(f"{name}={value}" for name, value in case.environment.items())]) + "\n"
                       for case in cases)
        answers = subprocess.run([dump], input=sent, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
        assert len(answers) == len(cases), f"{len(answers)} answers for {len(cases)} cases"
        for case, ours in zip(cases, answers):
            theirs = what_boto3_does(case)
            refused += theirs is None
            if ours == f"OK\t{theirs}" or (ours.startswith("ERR\t") and theirs is None):
                continue
            why = difference_wanted(case, ours, theirs)
            if why:
                wanted[why] = wanted.get(why, 0) + 1
                continue
            unwanted += 1
            if unwanted <= 10:
                print(f"{case.service} {case.environment}\n{case.config}\n  boto3: {theirs}\n  ours:  {ours}")
    print(f"{len(cases)} cases, {refused} refused by boto3, {unwanted} differences")
    for why, times in sorted(wanted.items()):
        print(f"  {times} as wanted: {why}")
    # Or the comparison shows less than it says.
    assert len(cases) // 50 < refused < len(cases) // 2, "the generator is out of balance"
    assert len(wanted) == 8, "a difference that is listed does not occur"
    return 1 if unwanted else 0


if __name__ == "__main__":
    sys.exit(main())
