"""Load balancers of version 3 (dedicated ones), and what the other kinds need of them."""

from sdk import Kind, at


def lives(world):
    load_balancer(world)
    catalogue(world)


def make(world, **fields):
    """A load balancer in the subnet of the addresses, outside any count."""
    body = {"vip_subnet_cidr_id": world.vip_subnet, "availability_zone_list": world.zones[:1], **fields}
    return world.elb.call("create_load_balancer", {"loadbalancer": body}).loadbalancer.id


def make_listener(world, balancer, port=80, protocol="TCP", **fields):
    body = {"loadbalancer_id": balancer, "protocol": protocol, "protocol_port": port, **fields}
    return world.elb.call("create_listener", {"listener": body}).listener.id


def make_pool(world, listener, protocol="TCP"):
    body = {"listener_id": listener, "protocol": protocol, "lb_algorithm": "ROUND_ROBIN"}
    return world.elb.call("create_pool", {"pool": body}).pool.id


def load_balancer(world):
    elb = world.elb
    with Kind("load-balancer") as kind:
        body = {
            "name": "front",
            "description": "für alle",
            "vpc_id": world.vpc,
            "vip_subnet_cidr_id": world.vip_subnet,
            "availability_zone_list": world.zones[:2],
            "tags": [{"key": "team", "value": "a"}],
            "publicip": {
                "network_type": "5_bgp",
                "bandwidth": {"name": "bw", "size": 5, "share_type": "PER", "charge_mode": "traffic"},
            },
        }
        made = kind.ok(
            "create",
            elb,
            "create_load_balancer",
            {"loadbalancer": body},
            {
                "status_code": 201,
                "loadbalancer.name": "front",
                "loadbalancer.description": "für alle",
                "loadbalancer.guaranteed": True,
                "loadbalancer.provisioning_status": "ACTIVE",
                "loadbalancer.availability_zone_list": world.zones[:2],
                "loadbalancer.tags.0.value": "a",
                "loadbalancer.enterprise_project_id": "0",
                "loadbalancer.eips.0.ip_version": 4,
            },
        ).loadbalancer
        kind.that("address in the subnet", made.vip_address and made.vip_port_id, f"vip {made.vip_address}")
        others = [make(world, name=f"page-{n}") for n in range(4)]
        mine = {"loadbalancer_id": made.id}
        kind.ok("show", elb, "show_load_balancer", None, {"loadbalancer.vip_address": made.vip_address}, **mine)
        kind.pages(elb, "list_load_balancers", "loadbalancers", [made.id, *others])
        kind.ok("list by name", elb, "list_load_balancers", None, {"loadbalancers.0.id": made.id}, name=["front"])
        listed = kind.ok("list by two names", elb, "list_load_balancers", name=["page-0", "page-1"])
        kind.that("two names mean either", len(listed.loadbalancers) == 2, str(len(listed.loadbalancers)))
        back = elb.call("list_load_balancers", limit=2, page_reverse=True, marker=max(others)).loadbalancers
        kind.that("list backwards", len(back) == 2 and all(b.id < max(others) for b in back), str([b.id for b in back]))
        kind.ok(
            "update",
            elb,
            "update_load_balancer",
            {"loadbalancer": {"name": "front-2", "description": ""}},
            {
                "loadbalancer.name": "front-2",
                "loadbalancer.description": "",
                "loadbalancer.vip_address": made.vip_address,
            },
            **mine,
        )
        kind.refused(
            "create without zone", 400, "ELB.9805", elb, "create_load_balancer", {"loadbalancer": {"vpc_id": world.vpc}}
        )
        kind.refused(
            "create in an unknown zone",
            400,
            "ELB.8902",
            elb,
            "create_load_balancer",
            {"loadbalancer": {"vpc_id": world.vpc, "availability_zone_list": ["moon-1a"]}},
        )
        kind.refused(
            "create in an unknown VPC",
            400,
            "ELB.9899",
            elb,
            "create_load_balancer",
            {"loadbalancer": {"vpc_id": others[0], "availability_zone_list": world.zones[:1]}},
        )
        kind.refused(
            "create with a taken address",
            400,
            "ELB.1101",
            elb,
            "create_load_balancer",
            {
                "loadbalancer": {
                    "vip_subnet_cidr_id": world.vip_subnet,
                    "vip_address": made.vip_address,
                    "availability_zone_list": world.zones[:1],
                }
            },
        )
        kind.refused(
            "a name of 256 characters",
            400,
            "ELB.8902",
            elb,
            "update_load_balancer",
            {"loadbalancer": {"name": "x" * 256}},
            **mine,
        )
        kind.ok(
            "protect",
            elb,
            "update_load_balancer",
            {"loadbalancer": {"deletion_protection_enable": True}},
            {"loadbalancer.deletion_protection_enable": True},
            **mine,
        )
        kind.refused("delete while protected", 409, "ELB.8907", elb, "delete_load_balancer", **mine)
        kind.ok(
            "unprotect", elb, "update_load_balancer", {"loadbalancer": {"deletion_protection_enable": False}}, **mine
        )
        child = make_listener(world, made.id)
        kind.refused("delete before its listener", 409, "ELB.8907", elb, "delete_load_balancer", **mine)
        elb.call("delete_listener", listener_id=child)
        kind.ok("delete", elb, "delete_load_balancer", None, {"status_code": 204}, **mine)
        kind.gone(elb, "show_load_balancer", "ELB.8904", **mine)
        eip = at(made, "eips.0.eip_id")
        kind.ok(
            "its public address stays, free",
            world.eip_v3,
            "show_publicip",
            None,
            {"publicip.status": "DOWN"},
            publicip_id=eip,
        )
        world.eip.call("delete_publicip", publicip_id=eip)
        for other in others:
            elb.call("delete_load_balancer_force", loadbalancer_id=other)
    with Kind("load-balancer-tags") as kind:
        mine = {"loadbalancer_id": make(world)}
        tags = [{"key": "team", "value": "a"}, {"key": "tier", "value": ""}]
        kind.ok(
            "create", elb, "change_loadbalancer_tags", {"action": "create", "tags": tags}, {"status_code": 204}, **mine
        )
        kind.ok("show", elb, "show_loadbalancer_tags", None, {"tags.0.key": "team", "tags.0.value": "a"}, **mine)
        kind.ok("of all", elb, "list_loadbalancer_tags", None, {"tags.0.key": "team", "tags.0.values": ["a"]})
        kind.ok(
            "replace a value",
            elb,
            "change_loadbalancer_tags",
            {"action": "create", "tags": [{"key": "team", "value": "b"}]},
            **mine,
        )
        kind.ok("show the new value", elb, "show_loadbalancer_tags", None, {"tags.0.value": "b"}, **mine)
        kind.refused(
            "unknown action",
            400,
            "ELB.8902",
            elb,
            "change_loadbalancer_tags",
            {"action": "paint", "tags": tags},
            **mine,
        )
        kind.ok("delete", elb, "change_loadbalancer_tags", {"action": "delete", "tags": tags}, **mine)
        kind.ok("show nothing", elb, "show_loadbalancer_tags", None, {"tags": []}, **mine)
        elb.call("delete_load_balancer", **mine)
    with Kind("load-balancer-cascade") as kind:
        balancer = make(
            world,
            publicip={
                "network_type": "5_bgp",
                "bandwidth": {"name": "bw", "size": 1, "share_type": "PER", "charge_mode": "bandwidth"},
            },
        )
        eip = elb.call("show_load_balancer", loadbalancer_id=balancer).loadbalancer.eips[0].eip_id
        listener = make_listener(world, balancer)
        pool = make_pool(world, listener)
        elb.call(
            "create_member",
            {"member": {"address": world.node(1), "protocol_port": 80, "subnet_cidr_id": world.node_subnet}},
            pool_id=pool,
        )
        tree = kind.ok(
            "status tree",
            elb,
            "show_load_balancer_status",
            None,
            {
                "statuses.loadbalancer.id": balancer,
                "statuses.loadbalancer.operating_status": "ONLINE",
                "statuses.loadbalancer.listeners.0.pools.0.id": pool,
                "statuses.loadbalancer.listeners.0.pools.0.members.0.address": world.node(1),
            },
            loadbalancer_id=balancer,
        )
        kind.that("one listener in the tree", len(tree.statuses.loadbalancer.listeners) == 1)
        kind.ok(
            "delete all",
            elb,
            "delete_load_balancer_cascade",
            {"loadbalancer": {"unbounded_pool": True, "public_ip": True}},
            loadbalancer_id=balancer,
        )
        kind.gone(elb, "show_listener", "ELB.8904", listener_id=listener)
        kind.gone(elb, "show_pool", "ELB.8904", pool_id=pool)
        kind.gone(world.eip_v3, "show_publicip", "VPC.0504", publicip_id=eip)


def catalogue(world):
    elb = world.elb
    with Kind("flavor") as kind:
        flavors = kind.ok("list", elb, "list_flavors").flavors
        types = {flavor.type for flavor in flavors}
        kind.that("all four types", types == {"L4", "L7", "L4_elastic_max", "L7_elastic_max"}, str(types))
        kind.ok("show", elb, "show_flavor", None, {"flavor.name": flavors[0].name}, flavor_id=flavors[0].id)
        some = kind.ok("list by type", elb, "list_flavors", type=["L4"]).flavors
        kind.that("only that type", some and all(flavor.type == "L4" for flavor in some), str(some))
        kind.pages(elb, "list_flavors", "flavors", [flavor.id for flavor in flavors])
        kind.gone(elb, "show_flavor", "ELB.8904", flavor_id=world.vpc)
    with Kind("availability-zone") as kind:
        zones = kind.ok("list", elb, "list_availability_zones").availability_zones
        kind.that("a list of lists", zones[0][0].state == "ACTIVE" and zones[0][0].protocol == ["L4", "L7"], str(zones))
    with Kind("quota") as kind:
        before = kind.ok("show", elb, "show_quota", None, {"quota.project_id": world.project}).quota
        used = {item.quota_key: item for item in kind.ok("details", elb, "list_quota_details").quotas}
        kind.that("details agree", used["loadbalancer"].quota_limit == before.loadbalancer, str(used["loadbalancer"]))
        world.admin("PUT", "quota", {"loadbalancer": used["loadbalancer"].used})
        kind.refused(
            "one too many",
            409,
            "ELB.8905",
            elb,
            "create_load_balancer",
            {"loadbalancer": {"vip_subnet_cidr_id": world.vip_subnet, "availability_zone_list": world.zones[:1]}},
        )
        world.admin("PUT", "quota", {"loadbalancer": before.loadbalancer})
        kind.ok("as before", elb, "show_quota", None, {"quota.loadbalancer": before.loadbalancer})
    with Kind("api-version") as kind:
        versions = kind.ok("list", elb, "list_api_versions").versions
        kind.that("v3 is current", any(v.id == "v3" and v.status == "CURRENT" for v in versions), str(versions))
