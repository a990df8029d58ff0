"""Public addresses and their bandwidths: API v1 (the SDK calls it v2) and v3."""

import elb
from sdk import Kind

PER = {"name": "bw", "size": 5, "share_type": "PER", "charge_mode": "traffic"}


def lives(world):
    public_ip(world)
    binding(world)
    tags(world)
    bandwidth(world)
    older(world)


def make(world, **fields):
    body = {"publicip": {"type": "5_bgp", **fields}, "bandwidth": PER}
    return world.eip.call("create_publicip", body).publicip.id


def public_ip(world):
    eip, v3 = world.eip, world.eip_v3
    with Kind("public-ip") as kind:
        made = kind.ok(
            "create",
            eip,
            "create_publicip",
            {"publicip": {"type": "5_bgp", "alias": "shop"}, "bandwidth": PER},
            {"publicip.type": "5_bgp", "publicip.status": "PENDING_CREATE", "publicip.alias": "shop"},
        ).publicip
        mine = {"publicip_id": made.id}
        others = [make(world) for _ in range(4)]
        kind.ok(
            "show",
            eip,
            "show_publicip",
            None,
            {
                "publicip.status": "DOWN",
                "publicip.public_ip_address": made.public_ip_address,
                "publicip.bandwidth_size": 5,
                "publicip.bandwidth_share_type": "PER",
            },
            **mine
        )
        kind.ok(
            "show v3",
            v3,
            "show_publicip",
            None,
            {
                "publicip.status": "DOWN",
                "publicip.public_ip_address": made.public_ip_address,
                "publicip.bandwidth.size": 5,
                "publicip.bandwidth.charge_mode": "traffic",
                "publicip.associate_instance_type": None,
            },
            **mine
        )
        kind.pages(eip, "list_publicips", "publicips", [made.id, *others])
        kind.pages(v3, "list_publicips", "publicips", [made.id, *others])
        kind.ok(
            "list by address",
            v3,
            "list_publicips",
            None,
            {"publicips.0.id": made.id, "total_count": 1},
            public_ip_address=[made.public_ip_address],
        )
        kind.ok(
            "rename", eip, "update_publicip", {"publicip": {"alias": "shop-2"}}, {"publicip.alias": "shop-2"}, **mine
        )
        kind.ok(
            "describe",
            v3,
            "update_publicip",
            {"publicip": {"description": "the shop"}},
            {"publicip.description": "the shop", "publicip.alias": "shop-2"},
            **mine
        )
        kind.refused(
            "create without size",
            400,
            "VPC.0501",
            eip,
            "create_publicip",
            {"publicip": {"type": "5_bgp"}, "bandwidth": {"name": "bw", "share_type": "PER"}},
        )
        kind.refused(
            "bandwidth out of range",
            400,
            "VPC.0301",
            eip,
            "create_publicip",
            {"publicip": {"type": "5_bgp"}, "bandwidth": {**PER, "size": 2001}},
        )
        kind.refused(
            "a taken address",
            409,
            "VPC.0522",
            eip,
            "create_publicip",
            {"publicip": {"type": "5_bgp", "ip_address": made.public_ip_address}, "bandwidth": PER},
        )
        world.admin("PUT", "quota", {"publicip": 5})
        kind.refused(
            "one too many", 409, "VPC.0521", eip, "create_publicip", {"publicip": {"type": "5_bgp"}, "bandwidth": PER}
        )
        world.admin("PUT", "quota", {"publicip": 2000})
        kind.ok("delete", eip, "delete_publicip", None, {"status_code": 204}, **mine)
        kind.gone(eip, "show_publicip", "VPC.0504", **mine)
        kind.gone(v3, "show_publicip", "VPC.0504", **mine)
        for other in others:
            eip.call("delete_publicip", publicip_id=other)


def binding(world):
    eip, v3 = world.eip, world.eip_v3
    with Kind("public-ip-binding") as kind:
        balancer = world.elb.call("show_load_balancer", loadbalancer_id=elb.make(world)).loadbalancer
        mine = {"publicip_id": make(world)}
        to_balancer = {"publicip": {"associate_instance_type": "ELB", "associate_instance_id": balancer.id}}
        kind.ok(
            "bind",
            v3,
            "associate_publicips",
            to_balancer,
            {
                "status_code": 200,
                "publicip.status": "ELB",
                "publicip.associate_instance_type": "ELB",
                "publicip.associate_instance_id": balancer.id,
                "publicip.vnic.private_ip_address": balancer.vip_address,
            },
            **mine
        )
        kind.ok(
            "the load balancer shows it",
            world.elb,
            "show_load_balancer",
            None,
            {"loadbalancer.eips.0.eip_id": mine["publicip_id"]},
            loadbalancer_id=balancer.id,
        )
        kind.refused("bind again", 409, "VPC.0510", v3, "associate_publicips", to_balancer, **mine)
        other = make(world)
        kind.refused("a second one", 409, "VPC.0511", v3, "associate_publicips", to_balancer, publicip_id=other)
        kind.refused("delete while bound", 409, "VPC.0517", eip, "delete_publicip", **mine)
        kind.ok("API v1 does not see the load balancer", eip, "show_publicip", None, {"publicip.port_id": None}, **mine)
        kind.ok(
            "API v1 does not unbind it", eip, "update_publicip", {"publicip": {}}, {"publicip.status": "ELB"}, **mine
        )
        kind.ok("unbind", v3, "disassociate_publicips", None, {"status_code": 200, "publicip.status": "DOWN"}, **mine)
        kind.refused("unbind again", 409, "EIP.7902", v3, "disassociate_publicips", **mine)
        kind.ok("bind by port", eip, "update_publicip", {"publicip": {"port_id": balancer.vip_port_id}}, **mine)
        kind.refused(
            "bind to nothing",
            404,
            "ELB.8904",
            v3,
            "associate_publicips",
            {"publicip": {"associate_instance_type": "ELB", "associate_instance_id": other}},
            publicip_id=other,
        )
        world.elb.call("delete_load_balancer", loadbalancer_id=balancer.id)
        kind.ok("free when the load balancer is gone", v3, "show_publicip", None, {"publicip.status": "DOWN"}, **mine)
        for public_ip in (mine["publicip_id"], other):
            eip.call("delete_publicip", publicip_id=public_ip)


def tags(world):
    eip = world.eip
    with Kind("public-ip-tags") as kind:
        mine = {"publicip_id": make(world)}
        kind.ok("create one", eip, "create_publicip_tag", {"tag": {"key": "team", "value": "a"}}, **mine)
        both = {"action": "create", "tags": [{"key": "team", "value": "b"}, {"key": "tier", "value": "1"}]}
        kind.ok("create two", eip, "batch_create_publicip_tags", both, {"status_code": 204}, **mine)
        kind.ok("show", eip, "show_publicip_tags", None, {"tags.0.value": "b", "tags.1.key": "tier"}, **mine)
        kind.ok("of all", eip, "list_publicip_tags", None, {"tags.0.values": ["b"]})
        kind.ok("in the object", world.eip_v3, "show_publicip", None, {"publicip.tags.0": "team=b"}, **mine)
        kind.ok("delete one", eip, "delete_publicip_tag", key="tier", **mine)
        kind.refused("delete it again", 404, "VPC.0202", eip, "delete_publicip_tag", key="tier", **mine)
        eip.call("delete_publicip", **mine)


def bandwidth(world):
    eip = world.eip
    with Kind("bandwidth") as kind:
        mine = {"publicip_id": make(world)}
        own = {"bandwidth_id": eip.call("show_publicip", **mine).publicip.bandwidth_id}
        seen = {"bandwidth.size": 5, "bandwidth.share_type": "PER", "bandwidth.charge_mode": "traffic"}
        kind.ok("show one of its own", eip, "show_bandwidth", None, seen, **own)
        change = {"bandwidth": {"name": "wide", "size": 300}}
        seen = {"bandwidth.name": "wide", "bandwidth.size": 300}
        kind.ok("widen it", eip, "update_bandwidth", change, seen, **own)
        kind.ok("the public IP is as wide", eip, "show_publicip", None, {"publicip.bandwidth_size": 300}, **mine)
        kind.refused("too wide", 400, "VPC.0301", eip, "update_bandwidth", {"bandwidth": {"size": 2001}}, **own)
        body = {"bandwidth": {"name": "all", "size": 100}}
        seen = {"bandwidth.name": "all", "bandwidth.share_type": "WHOLE", "bandwidth.publicip_info": []}
        shared = kind.ok("create a shared one", eip, "create_shared_bandwidth", body, seen).bandwidth.id
        others = [eip.call("create_shared_bandwidth", body).bandwidth.id for _ in range(2)]
        kind.pages(eip, "list_bandwidths", "bandwidths", [shared, own["bandwidth_id"], *others])
        kind.pages(eip, "list_bandwidths", "bandwidths", [shared, *others], share_type="WHOLE")
        member = {"bandwidth": {"publicip_info": [{"publicip_id": mine["publicip_id"], "publicip_type": "5_bgp"}]}}
        insert = "add_publicips_into_shared_bandwidth"
        kind.ok("put the public IP in", eip, insert, member, bandwidth_id=shared)
        seen = {"publicip.bandwidth_id": shared, "publicip.bandwidth_share_type": "WHOLE"}
        kind.ok("the public IP shows it", eip, "show_publicip", None, seen, **mine)
        kind.gone(eip, "show_bandwidth", "VPC.0306", **own)
        body = {"publicip": {"type": "5_bgp"}, "bandwidth": {"share_type": "WHOLE", "id": shared}}
        second = kind.ok("a public IP that is born in it", eip, "create_publicip", body).publicip.id
        kind.refused("delete while in use", 409, "VPC.0303", eip, "delete_shared_bandwidth", bandwidth_id=shared)
        out = {"bandwidth": {**member["bandwidth"], "charge_mode": "bandwidth", "size": 2}}
        take = "remove_publicips_from_shared_bandwidth"
        kind.ok("take it out", eip, take, out, {"status_code": 204}, bandwidth_id=shared)
        seen = {"publicip.bandwidth_size": 2, "publicip.bandwidth_share_type": "PER"}
        kind.ok("it has one of its own again", eip, "show_publicip", None, seen, **mine)
        kind.refused("take it out again", 404, "VPC.0306", eip, take, out, bandwidth_id=shared)
        for public_ip in (mine["publicip_id"], second):
            eip.call("delete_publicip", publicip_id=public_ip)
        kind.ok("delete", eip, "delete_shared_bandwidth", None, {"status_code": 204}, bandwidth_id=shared)
        kind.gone(eip, "show_bandwidth", "VPC.0306", bandwidth_id=shared)
        for other in others:
            eip.call("delete_shared_bandwidth", bandwidth_id=other)


def older(world):
    """Neutron's view of the addresses, and the limits of v1."""
    eip = world.eip
    balancer = world.elb_v2.call("create_loadbalancer", {"loadbalancer": {"vip_subnet_id": world.vip_subnet}}).loadbalancer
    with Kind("floating-ip") as kind:
        mine = make(world)
        shown = eip.call("show_publicip", publicip_id=mine).publicip
        eip.call("update_publicip", {"publicip": {"port_id": balancer.vip_port_id}}, publicip_id=mine)
        seen = {"floatingip.port_id": balancer.vip_port_id, "floatingip.status": "ACTIVE"}
        kind.ok("show", eip, "neutron_show_floating_ip", None, seen, floatingip_id=mine)
        others = [make(world) for _ in range(3)]
        kind.pages(eip, "neutron_list_floating_ips", "floatingips", [mine, *others])
        address = shown.public_ip_address
        kind.ok("find by address", eip, "neutron_list_floating_ips", None, {"floatingips.0.id": mine},
                floating_ip_address=address)  # fmt: skip
        kind.gone(eip, "neutron_show_floating_ip", "VPC.0504", floatingip_id=balancer.id)
        eip.call("update_publicip", {"publicip": {}}, publicip_id=mine)
        quotas = kind.ok("limits", eip, "list_quotas", type="publicIp").quotas.resources
        kind.that("four are used", [(q.type, q.used) for q in quotas] == [("publicIp", 4)], str(quotas))
        for public_ip in (mine, *others):
            eip.call("delete_publicip", publicip_id=public_ip)
    world.elb_v2.call("delete_loadbalancer", loadbalancer_id=balancer.id)
