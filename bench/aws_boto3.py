"""What boto3 does in the place of `qsecrets get` and of aws_bench; the environment says where.

aws_boto3.py value SECRET FIELD: prints the field. aws_boto3.py credentials: finds credentials and prints how many
milliseconds that took once boto3 was imported. aws_boto3.py memory SECRET: reads it and prints its own peak memory.
"""
import json
import sys
import time

import boto3


def find_credentials():
    begin = time.perf_counter()
    boto3.Session().get_credentials().get_frozen_credentials()
    print((time.perf_counter() - begin) * 1000)


def read(secret):
    answer = boto3.client("secretsmanager").get_secret_value(SecretId=secret)
    return json.loads(answer["SecretString"])


def peak_memory(secret):
    read(secret)
    with open("/proc/self/status", encoding="ascii") as status:
        print(next(line for line in status if line.startswith("VmHWM")).split()[1])


if __name__ == "__main__":
    if sys.argv[1] == "credentials":
        find_credentials()
    elif sys.argv[1] == "memory":
        peak_memory(sys.argv[2])
    else:
        print(read(sys.argv[2])[sys.argv[3]])
