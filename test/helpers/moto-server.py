"""Runs moto as a server on a port of its own until its standard input ends.

Glue's UpdateTable with a VersionId is a compare and swap, which moto leaves out; S3 Tables' swap is not guarded against threads.
Both are put in place here, for what is tested against them depends on it. So are the ARN of an MSK Serverless cluster, in the
form that MSK gives it, and where its brokers for IAM are: where BROKERS says.
"""

import json
import os
import sys
import threading

threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()

from moto.core.exceptions import JsonRESTError
from moto.glue.responses import GlueResponse
from moto.kafka.models import FakeKafkaCluster
from moto.kafka.responses import KafkaResponse
from moto.s3tables.models import Table
from moto.server import main

one_at_a_time = threading.Lock()
update_table = GlueResponse.update_table
update_metadata_location = Table.update_metadata_location


def compare_and_update(self):
    with one_at_a_time:
        wanted = self.parameters.get("VersionId")
        table = self.glue_backend.get_table(self.parameters["DatabaseName"], self.parameters["TableInput"]["Name"])
        if wanted is not None and wanted != table.as_dict()["VersionId"]:
            raise JsonRESTError("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
        return update_table(self)


def compare_and_swap(self, *args, **kwargs):
    with one_at_a_time:
        return update_metadata_location(self, *args, **kwargs)


def cluster_arn(self):
    return f"arn:aws:kafka:{self.region_name}:{self.account_id}:cluster/{self.cluster_name}/{self.cluster_id}-s1"


def get_bootstrap_brokers(self):
    self.kafka_backend.describe_cluster_v2(self._get_param("clusterArn"))
    return json.dumps({"bootstrapBrokerStringSaslIam": os.environ.get("BROKERS", "")})


GlueResponse.update_table = compare_and_update
Table.update_metadata_location = compare_and_swap
FakeKafkaCluster._generate_arn = cluster_arn
KafkaResponse.get_bootstrap_brokers = get_bootstrap_brokers

main(["-H", "127.0.0.1", "-p", "0"])
