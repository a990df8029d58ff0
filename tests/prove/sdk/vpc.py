"""Networks and their ports."""

import elb
from sdk import Kind


def lives(world):
    vpc = world.network
    with Kind("vpc") as kind:
        made = kind.ok("list", vpc, "list_vpcs", None, {"vpcs.0.id": world.vpc, "vpcs.0.status": "OK"}).vpcs[0]
        kind.ok("show", vpc, "show_vpc", None, {"vpc.cidr": made.cidr}, vpc_id=world.vpc)
        kind.gone(vpc, "show_vpc", "VPC.0202", vpc_id=world.vip_subnet)
    with Kind("subnet") as kind:
        subnets = kind.ok("list", vpc, "list_subnets", vpc_id=world.vpc).subnets
        kind.that("two", len(subnets) == 2, str(len(subnets)))
        kind.ok(
            "show",
            vpc,
            "show_subnet",
            None,
            {"subnet.cidr": subnets[0].cidr, "subnet.status": "ACTIVE", "subnet.vpc_id": world.vpc},
            subnet_id=subnets[0].id,
        )
        kind.ok("of another VPC", vpc, "list_subnets", None, {"subnets": []}, vpc_id=world.vip_subnet)
        kind.gone(vpc, "show_subnet", "VPC.0202", subnet_id=world.vpc)
    with Kind("port") as kind:
        balancer = world.elb.call("show_load_balancer", loadbalancer_id=elb.make(world)).loadbalancer
        listed = kind.ok(
            "list by device",
            vpc,
            "list_ports",
            None,
            {"ports.0.id": balancer.vip_port_id, "ports.0.device_id": balancer.id},
            device_id=balancer.id,
        )
        kind.that("one", len(listed.ports) == 1, str(len(listed.ports)))
        kind.ok(
            "list by address",
            vpc,
            "list_ports",
            None,
            {"ports.0.id": balancer.vip_port_id},
            fixed_ips=[f"ip_address={balancer.vip_address}"],
        )
        kind.ok(
            "show",
            vpc,
            "show_port",
            None,
            {"port.fixed_ips.0.ip_address": balancer.vip_address, "port.fixed_ips.0.subnet_id": world.vip_subnet},
            port_id=balancer.vip_port_id,
        )
        world.elb.call("delete_load_balancer", loadbalancer_id=balancer.id)
        kind.gone(vpc, "show_port", "VPC.0202", port_id=balancer.vip_port_id)
