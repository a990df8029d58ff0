"""Drives every kind of object of the mock cloud through its life with the vendor's SDK.

usage: prove.py ENDPOINT

Prints one line per kind, `name passed failed`; what failed goes to standard error. Exit code 1 if something did.
"""

import json
import sys
import urllib.request

import eip
import elb
import elb_batch
import elb_below
import elb_http
import elb_v2
import iam
import nat
import vpc
from huaweicloudsdkcore.auth.credentials import BasicCredentials

from sdk import Kind, Service


class World:
    """The cloud as it starts, and a client of each of its services."""

    access_key, secret_key = "ferrolb-mock", "ferrolb-mock-secret"
    project = "fe220000000000000000000000000001"
    token_seconds = 3
    region, domain = "mock-1", "fe22000000000000000000000000000d"

    def __init__(self, endpoint):
        self.endpoint = endpoint
        keys = BasicCredentials(self.access_key, self.secret_key, self.project)
        self.elb = Service("elb", "v3", endpoint, keys)
        self.elb_v2 = Service("elb", "v2", endpoint, keys)
        self.eip = Service("eip", "v2", endpoint, keys)
        self.eip_v3 = Service("eip", "v3", endpoint, keys)
        self.nat = Service("nat", "v2", endpoint, keys)
        self.network = Service("vpc", "v2", endpoint, keys)
        subnets = {subnet.name: subnet for subnet in self.network.call("list_subnets").subnets}
        self.vpc = subnets["subnet-vip"].vpc_id
        self.vip_subnet = subnets["subnet-vip"].neutron_subnet_id
        self.node_subnet = subnets["subnet-node"].neutron_subnet_id
        self.node_network = subnets["subnet-node"].id
        self.zones = [zone.code for zone in self.elb.call("list_availability_zones").availability_zones[0]]

    @staticmethod
    def node(number):
        """Address of a node."""
        return f"172.16.0.{10 + number}"

    def admin(self, method, path, body):
        """What no tenant may do: the mock's own paths."""
        request = urllib.request.Request(
            f"{self.endpoint}/_ferrolb/{path}",
            json.dumps(body).encode(),
            method=method,
            headers={"content-type": "application/json"},
        )
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5).read()


def main():
    world = World(sys.argv[1])
    for service in (iam, vpc, eip, elb, elb_batch, elb_below, elb_http, elb_v2, nat):
        service.lives(world)
    sys.exit(1 if Kind.failed_in_all else 0)


if __name__ == "__main__":
    main()
