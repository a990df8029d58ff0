"""Load balancing v2: shared load balancers and what hangs below them."""

import elb
from sdk import Kind


def lives(world):
    load_balancer(world)
    below(world)


def make(world, **fields):
    body = {"vip_subnet_id": world.vip_subnet, **fields}
    return world.elb_v2.call("create_loadbalancer", {"loadbalancer": body}).loadbalancer.id


def load_balancer(world):
    v2 = world.elb_v2
    with Kind("v2-load-balancer") as kind:
        body = {"loadbalancer": {"name": "shared", "vip_subnet_id": world.vip_subnet}}
        seen = {
            "status_code": 201,
            "loadbalancer.name": "shared",
            "loadbalancer.vip_subnet_id": world.vip_subnet,
            "loadbalancer.provisioning_status": "ACTIVE",
            "loadbalancer.tenant_id": world.project,
        }
        made = kind.ok("create", v2, "create_loadbalancer", body, seen).loadbalancer
        mine = {"loadbalancer_id": made.id}
        others = [make(world) for _ in range(3)]
        kind.ok("show", v2, "show_loadbalancer", None, {"loadbalancer.vip_address": made.vip_address}, **mine)
        kind.ok("v3 shows it", world.elb, "show_load_balancer", None, {"loadbalancer.guaranteed": False}, **mine)
        kind.pages(v2, "list_loadbalancers", "loadbalancers", [made.id, *others])
        change = {"loadbalancer": {"name": "shared-2"}}
        kind.ok("update", v2, "update_loadbalancer", change, {"loadbalancer.name": "shared-2"}, **mine)
        tag = {"tag": {"key": "team", "value": "a"}}
        kind.ok("tag", v2, "create_loadbalancer_tags", tag, **mine)
        kind.ok("tags", v2, "show_loadbalancer_tags", None, {"tags.0.value": "a"}, **mine)
        kind.ok("untag", v2, "delete_loadbalancer_tags", key="team", **mine)
        kind.refused("untag again", 404, "ELB.8904", v2, "delete_loadbalancer_tags", key="team", **mine)
        nowhere = {"loadbalancer": {"vip_subnet_id": made.id}}
        kind.refused("create in no subnet", 400, "ELB.9899", v2, "create_loadbalancer", nowhere)
        taken = {"loadbalancer": {"vip_subnet_id": world.vip_subnet, "vip_address": made.vip_address}}
        kind.refused("create with a taken address", 400, "ELB.1101", v2, "create_loadbalancer", taken)
        public_ip = world.eip.call("create_publicip", {
            "publicip": {"type": "5_bgp"},
            "bandwidth": {"name": "bw", "size": 1, "share_type": "PER"},
        }).publicip.id  # fmt: skip
        port = {"publicip": {"port_id": made.vip_port_id}}
        seen = {"publicip.status": "ACTIVE", "publicip.port_id": made.vip_port_id}
        kind.ok("give it a public IP by its port", world.eip, "update_publicip", port, seen, publicip_id=public_ip)
        kind.refused("delete the bound IP", 409, "VPC.0517", world.eip, "delete_publicip", publicip_id=public_ip)
        kind.ok("take it away", world.eip, "update_publicip", {"publicip": {}}, {"publicip.status": "DOWN"},
                publicip_id=public_ip)  # fmt: skip
        world.eip.call("delete_publicip", publicip_id=public_ip)
        dedicated = elb.make(world)
        kind.refused("a dedicated one is not there", 404, "ELB.8904", v2, "show_loadbalancer",
                     loadbalancer_id=dedicated)  # fmt: skip
        world.elb.call("delete_load_balancer", loadbalancer_id=dedicated)
        kind.ok("delete", v2, "delete_loadbalancer", None, {"status_code": 204}, **mine)
        kind.gone(v2, "show_loadbalancer", "ELB.8904", **mine)
        for other in others:
            v2.call("delete_loadbalancer", loadbalancer_id=other)


def below(world):
    v2 = world.elb_v2
    balancer = make(world)
    with Kind("v2-listener") as kind:
        body = {"name": "web", "loadbalancer_id": balancer, "protocol": "TCP", "protocol_port": 80}
        seen = {"status_code": 201, "listener.protocol_port": 80, "listener.tenant_id": world.project}
        listener = kind.ok("create", v2, "create_listener", {"listener": body}, seen).listener.id
        kind.refused("same port again", 409, "ELB.8907", v2, "create_listener", {"listener": body})
        more = [{**body, "protocol_port": port} for port in (81, 82, 83)]
        others = [v2.call("create_listener", {"listener": one}).listener.id for one in more]
        kind.ok("show", v2, "show_listener", None, {"listener.name": "web"}, listener_id=listener)
        kind.pages(v2, "list_listeners", "listeners", [listener, *others], loadbalancer_id=balancer)
        change = {"listener": {"name": "web-2"}}
        kind.ok("update", v2, "update_listener", change, {"listener.name": "web-2"}, listener_id=listener)
        dedicated = elb.make(world)
        foreign = elb.make_listener(world, dedicated)
        kind.refused("of a dedicated load balancer", 404, "ELB.8904", v2, "show_listener", listener_id=foreign)
        on_dedicated = {"listener": {**body, "loadbalancer_id": dedicated}}
        kind.refused("on a dedicated load balancer", 404, "ELB.8904", v2, "create_listener", on_dedicated)
        world.elb.call("delete_load_balancer_force", loadbalancer_id=dedicated)
        kind.ok("delete", v2, "delete_listener", None, {"status_code": 204}, listener_id=others[0])
        kind.gone(v2, "show_listener", "ELB.8904", listener_id=others[0])
    with Kind("v2-pool") as kind:
        body = {"protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "listener_id": listener}
        seen = {"status_code": 201, "pool.listeners.0.id": listener, "pool.loadbalancers.0.id": balancer}
        pool = kind.ok("create", v2, "create_pool", {"pool": body}, seen).pool.id
        more = [{"protocol": "TCP", "lb_algorithm": "SOURCE_IP", "loadbalancer_id": balancer}] * 3
        others = [v2.call("create_pool", {"pool": one}).pool.id for one in more]
        kind.ok("show", v2, "show_pool", None, {"pool.lb_algorithm": "ROUND_ROBIN"}, pool_id=pool)
        kind.pages(v2, "list_pools", "pools", [pool, *others], loadbalancer_id=balancer)
        change = {"pool": {"lb_algorithm": "SOURCE_IP"}}
        kind.ok("update", v2, "update_pool", change, {"pool.lb_algorithm": "SOURCE_IP"}, pool_id=pool)
        kind.refused("second default pool", 409, "ELB.8907", v2, "create_pool", {"pool": body})
        kind.ok("delete", v2, "delete_pool", None, {"status_code": 204}, pool_id=others[0])
        kind.gone(v2, "show_pool", "ELB.8904", pool_id=others[0])
    with Kind("v2-member") as kind:
        body = {"address": world.node(1), "protocol_port": 30080, "subnet_id": world.node_subnet, "weight": 7}
        seen = {"status_code": 201, "member.subnet_id": world.node_subnet, "member.weight": 7}
        member = kind.ok("create", v2, "create_member", {"member": body}, seen, pool_id=pool).member.id
        mine = {"pool_id": pool, "member_id": member}
        kind.refused("again", 409, "ELB.8907", v2, "create_member", {"member": body}, pool_id=pool)
        more = [{**body, "address": world.node(n)} for n in (2, 3, 4)]
        others = [v2.call("create_member", {"member": one}, pool_id=pool).member.id for one in more]
        kind.ok("show", v2, "show_member", None, {"member.address": world.node(1)}, **mine)
        kind.pages(v2, "list_members", "members", [member, *others], pool_id=pool)
        kind.ok("update", v2, "update_member", {"member": {"weight": 0}}, {"member.weight": 0}, **mine)
        kind.refused("the pool goes after it", 409, "ELB.8907", v2, "delete_pool", pool_id=pool)
        kind.ok("delete", v2, "delete_member", None, {"status_code": 204}, **mine)
        kind.gone(v2, "show_member", "ELB.8904", **mine)
    with Kind("v2-health-monitor") as kind:
        body = {"pool_id": pool, "type": "TCP", "delay": 5, "timeout": 3, "max_retries": 3}
        seen = {"status_code": 201, "healthmonitor.pools.0.id": pool, "healthmonitor.delay": 5}
        monitor = kind.ok("create", v2, "create_healthmonitor", {"healthmonitor": body}, seen).healthmonitor.id
        mine = {"healthmonitor_id": monitor}
        kind.refused("second monitor", 409, "ELB.8907", v2, "create_healthmonitor", {"healthmonitor": body})
        kind.ok("show", v2, "show_healthmonitors", None, {"healthmonitor.type": "TCP"}, **mine)
        kind.pages(v2, "list_healthmonitors", "healthmonitors", [monitor])
        change = {"healthmonitor": {"delay": 9}}
        kind.ok("update", v2, "update_healthmonitor", change, {"healthmonitor.delay": 9}, **mine)
        kind.ok("status tree", v2, "show_loadbalancers_status", None, {"statuses.loadbalancer.id": balancer},
                loadbalancer_id=balancer)  # fmt: skip
        kind.refused(
            "the load balancer goes last", 409, "ELB.8907", v2, "delete_loadbalancer", loadbalancer_id=balancer
        )
        kind.ok("delete", v2, "delete_healthmonitor", None, {"status_code": 204}, **mine)
        kind.gone(v2, "show_healthmonitors", "ELB.8904", **mine)
    world.elb.call("delete_load_balancer_force", loadbalancer_id=balancer)
