"""What hangs below a load balancer of version 3: listeners, pools, members, health monitors."""

from elb import make, make_listener, make_pool
from sdk import Kind


def lives(world):
    listener(world)
    listener_tags(world)
    ip_group(world)
    pool(world)
    member(world)
    health_monitor(world)


def listener(world):
    elb = world.elb
    with Kind("listener") as kind:
        balancer = make(world)
        body = {"name": "web", "loadbalancer_id": balancer, "protocol": "TCP", "protocol_port": 80}
        made = kind.ok(
            "create",
            elb,
            "create_listener",
            {"listener": {**body, "keepalive_timeout": 60}},
            {
                "status_code": 201,
                "listener.protocol": "TCP",
                "listener.protocol_port": 80,
                "listener.keepalive_timeout": 60,
                "listener.loadbalancers.0.id": balancer,
                "listener.connection_limit": -1,
            },
        ).listener
        mine = {"listener_id": made.id}
        kind.refused("same port again", 409, "ELB.8907", elb, "create_listener", {"listener": body})
        udp = kind.ok(
            "same port for UDP",
            elb,
            "create_listener",
            {"listener": {**body, "protocol": "UDP"}},
            {"listener.protocol": "UDP"},
        ).listener.id
        others = [make_listener(world, balancer, port) for port in (81, 82)]
        kind.ok("show", elb, "show_listener", None, {"listener.name": "web"}, **mine)
        kind.pages(elb, "list_listeners", "listeners", [made.id, udp, *others], loadbalancer_id=[balancer])
        kind.ok("list by port", elb, "list_listeners", None, {"listeners.0.id": others[0]}, protocol_port=["81"])
        kind.ok(
            "update",
            elb,
            "update_listener",
            {"listener": {"name": "web-2", "keepalive_timeout": 4000}},
            {"listener.name": "web-2", "listener.keepalive_timeout": 4000},
            **mine,
        )
        kind.refused(
            "timeout out of range",
            400,
            "ELB.8902",
            elb,
            "update_listener",
            {"listener": {"keepalive_timeout": 4001}},
            **mine,
        )
        kind.refused(
            "unknown protocol", 400, "ELB.8902", elb, "create_listener", {"listener": {**body, "protocol": "SCTP"}}
        )
        kind.refused(
            "on no load balancer",
            404,
            "ELB.8904",
            elb,
            "create_listener",
            {"listener": {**body, "loadbalancer_id": made.id}},
        )
        pool = make_pool(world, made.id)
        elb.call(
            "create_member",
            {"member": {"address": world.node(1), "protocol_port": 80, "subnet_cidr_id": world.node_subnet}},
            pool_id=pool,
        )
        kind.refused("delete before the members of its pool", 409, "ELB.8907", elb, "delete_listener", **mine)
        kind.ok("delete by force", elb, "delete_listener_force", None, {"status_code": 204}, **mine)
        kind.gone(elb, "show_listener", "ELB.8904", **mine)
        kind.ok("its pool stays, unbound", elb, "show_pool", None, {"pool.listeners": []}, pool_id=pool)
        kind.ok("delete", elb, "delete_listener", listener_id=udp)
        elb.call("delete_load_balancer_force", loadbalancer_id=balancer)


def listener_tags(world):
    elb = world.elb
    with Kind("listener-tags") as kind:
        balancer = make(world)
        mine = {"listener_id": make_listener(world, balancer, tags=[{"key": "team", "value": "a"}])}
        kind.ok("given at creation", elb, "show_listener_tags", None, {"tags.0.value": "a"}, **mine)
        more = {"action": "create", "tags": [{"key": "team", "value": "b"}, {"key": "tier", "value": "1"}]}
        kind.ok("create", elb, "change_listener_tags", more, {"status_code": 204}, **mine)
        kind.ok("show", elb, "show_listener_tags", None, {"tags.0.value": "b", "tags.1.key": "tier"}, **mine)
        kind.ok("of all", elb, "list_listener_tags", None, {"tags.0.values": ["b"]})
        kind.ok("delete", elb, "change_listener_tags", {**more, "action": "delete"}, **mine)
        kind.ok("show nothing", elb, "show_listener_tags", None, {"tags": []}, **mine)
        kind.gone(elb, "show_listener_tags", "ELB.8904", listener_id=balancer)
        elb.call("delete_load_balancer_force", loadbalancer_id=balancer)


def ip_group(world):
    elb = world.elb
    with Kind("ip-group") as kind:
        body = {"name": "office", "description": "who", "ip_list": [{"ip": "192.0.2.0/24", "description": "desks"}]}
        seen = {"status_code": 201, "ipgroup.name": "office", "ipgroup.ip_list.0.ip": "192.0.2.0/24", "ipgroup.listeners": []}
        made = kind.ok("create", elb, "create_ip_group", {"ipgroup": body}, seen).ipgroup
        mine = {"ipgroup_id": made.id}
        others = [elb.call("create_ip_group", {"ipgroup": {"ip_list": []}}).ipgroup.id for _ in range(3)]
        kind.ok("show", elb, "show_ip_group", None, {"ipgroup.ip_list.0.description": "desks"}, **mine)
        kind.pages(elb, "list_ip_groups", "ipgroups", [made.id, *others])
        kind.ok("list by description", elb, "list_ip_groups", None, {"ipgroups.0.id": made.id}, description=["who"])
        change = {"ipgroup": {"ip_list": [{"ip": "10.0.0.1-10.0.0.9"}]}}
        seen = {"ipgroup.ip_list.0.ip": "10.0.0.1-10.0.0.9", "ipgroup.name": "office"}
        kind.ok("update", elb, "update_ip_group", change, seen, **mine)
        added = {"ipgroup": {"ip_list": [{"ip": "2001:db8::/32"}]}}
        seen = {"ipgroup.ip_list.1.ip": "2001:db8::/32"}
        kind.ok("add addresses", elb, "update_ip_list", added, seen, **mine)
        removed = {"ipgroup": {"ip_list": [{"ip": "10.0.0.1-10.0.0.9"}]}}
        seen = {"ipgroup.ip_list.0.ip": "2001:db8::/32"}
        kind.ok("remove addresses", elb, "batch_delete_ip_list", removed, seen, **mine)
        wrong = {"ipgroup": {"ip_list": [{"ip": "everybody"}]}}
        kind.refused("no address", 400, "ELB.8902", elb, "update_ip_group", wrong, **mine)
        kind.refused("no list", 400, "ELB.9805", elb, "create_ip_group", {"ipgroup": {"name": "x"}})
        balancer = make(world)
        white = {"ipgroup_id": made.id, "enable_ipgroup": True, "type": "white"}
        listener = make_listener(world, balancer, 80, ipgroup=white)
        seen = {"listener.ipgroup.ipgroup_id": made.id, "listener.ipgroup.type": "white"}
        kind.ok("a listener with it", elb, "show_listener", None, seen, listener_id=listener)
        seen = {"listeners.0.id": listener}
        kind.ok("who uses it", elb, "show_ip_group_related_listeners", None, seen, **mine)
        kind.refused("delete while in use", 409, "ELB.8907", elb, "delete_ip_group", **mine)
        black = {"listener": {"ipgroup": {"type": "black", "enable_ipgroup": False}}}
        seen = {"listener.ipgroup.type": "black", "listener.ipgroup.ipgroup_id": made.id}
        kind.ok("switch it off", elb, "update_listener", black, seen, listener_id=listener)
        kind.refused("delete while switched off", 409, "ELB.8907", elb, "delete_ip_group", **mine)
        unknown = {"listener": {"ipgroup": {"ipgroup_id": "0" * 32}}}
        kind.refused("none that there is", 404, "ELB.8904", elb, "update_listener", unknown, listener_id=listener)
        elb.call("delete_listener", listener_id=listener)
        elb.call("delete_load_balancer", loadbalancer_id=balancer)
        kind.ok("delete", elb, "delete_ip_group", None, {"status_code": 204}, **mine)
        kind.gone(elb, "show_ip_group", "ELB.8904", **mine)
        for other in others:
            elb.call("delete_ip_group", ipgroup_id=other)


def pool(world):
    elb = world.elb
    with Kind("pool") as kind:
        balancer = make(world)
        front = make_listener(world, balancer)
        body = {
            "name": "back",
            "protocol": "TCP",
            "lb_algorithm": "LEAST_CONNECTIONS",
            "listener_id": front,
            "session_persistence": {"type": "SOURCE_IP", "persistence_timeout": 5},
        }
        made = kind.ok(
            "create",
            elb,
            "create_pool",
            {"pool": body},
            {
                "status_code": 201,
                "pool.lb_algorithm": "LEAST_CONNECTIONS",
                "pool.listeners.0.id": front,
                "pool.loadbalancers.0.id": balancer,
                "pool.session_persistence.persistence_timeout": 5,
                "pool.members": [],
                "pool.healthmonitor_id": None,
            },
        ).pool
        mine = {"pool_id": made.id}
        kind.ok(
            "is the listener's default",
            elb,
            "show_listener",
            None,
            {"listener.default_pool_id": made.id},
            listener_id=front,
        )
        kind.refused("second default pool", 409, "ELB.8907", elb, "create_pool", {"pool": body})
        others = [
            elb.call(
                "create_pool", {"pool": {"protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "loadbalancer_id": balancer}}
            ).pool.id
            for _ in range(3)
        ]
        kind.ok("show", elb, "show_pool", None, {"pool.name": "back"}, **mine)
        kind.pages(elb, "list_pools", "pools", [made.id, *others], loadbalancer_id=[balancer])
        kind.ok(
            "update",
            elb,
            "update_pool",
            {"pool": {"name": "back-2", "lb_algorithm": "SOURCE_IP"}},
            {"status_code": 200, "pool.name": "back-2", "pool.lb_algorithm": "SOURCE_IP"},
            **mine,
        )
        kind.ok(
            "drain",
            elb,
            "update_pool",
            {"pool": {"connection_drain": {"enable": True, "timeout": 30}}},
            {"pool.connection_drain.timeout": 30},
            **mine,
        )
        kind.refused(
            "drain without timeout",
            400,
            "ELB.8902",
            elb,
            "update_pool",
            {"pool": {"connection_drain": {"enable": True}}},
            **mine,
        )
        kind.refused(
            "unknown algorithm", 400, "ELB.8902", elb, "update_pool", {"pool": {"lb_algorithm": "LUCK"}}, **mine
        )
        kind.refused(
            "protocol that does not fit",
            400,
            "ELB.8902",
            elb,
            "create_pool",
            {"pool": {**body, "protocol": "UDP", "listener_id": make_listener(world, balancer, 81)}},
        )
        member = elb.call(
            "create_member",
            {"member": {"address": world.node(1), "protocol_port": 80, "subnet_cidr_id": world.node_subnet}},
            **mine,
        ).member.id
        kind.refused("delete before its members", 409, "ELB.8907", elb, "delete_pool", **mine)
        elb.call("delete_member", member_id=member, **mine)
        kind.ok("delete", elb, "delete_pool", None, {"status_code": 204}, **mine)
        kind.gone(elb, "show_pool", "ELB.8904", **mine)
        kind.ok(
            "the listener has none", elb, "show_listener", None, {"listener.default_pool_id": None}, listener_id=front
        )
        elb.call(
            "create_member",
            {"member": {"address": world.node(1), "protocol_port": 80, "subnet_cidr_id": world.node_subnet}},
            pool_id=others[0],
        )
        kind.ok("delete with members", elb, "delete_pool_cascade", pool_id=others[0])
        kind.gone(elb, "show_pool", "ELB.8904", pool_id=others[0])
        elb.call("delete_load_balancer_force", loadbalancer_id=balancer)


def member(world):
    elb = world.elb
    with Kind("member") as kind:
        balancer = make(world)
        pool = make_pool(world, make_listener(world, balancer))
        body = {
            "name": "n1",
            "address": world.node(1),
            "protocol_port": 30080,
            "subnet_cidr_id": world.node_subnet,
            "weight": 10,
        }
        made = kind.ok(
            "create",
            elb,
            "create_member",
            {"member": body},
            {
                "status_code": 201,
                "member.address": world.node(1),
                "member.protocol_port": 30080,
                "member.weight": 10,
                "member.operating_status": "NO_MONITOR",
                "member.member_type": "instance",
                "member.ip_version": "v4",
            },
            pool_id=pool,
        ).member
        mine = {"pool_id": pool, "member_id": made.id}
        kind.refused(
            "same address and port again", 409, "ELB.8907", elb, "create_member", {"member": body}, pool_id=pool
        )
        kind.refused(
            "outside the subnet",
            400,
            "ELB.8902",
            elb,
            "create_member",
            {"member": {**body, "address": "192.0.2.9"}},
            pool_id=pool,
        )
        kind.refused(
            "weight out of range",
            400,
            "ELB.8902",
            elb,
            "create_member",
            {"member": {**body, "weight": 101}},
            pool_id=pool,
        )
        kind.refused(
            "IP target where none are allowed",
            400,
            "ELB.8939",
            elb,
            "create_member",
            {"member": {"address": "192.0.2.9", "protocol_port": 80}},
            pool_id=pool,
        )
        kind.ok("show", elb, "show_member", None, {"member.name": "n1"}, **mine)
        kind.ok("update", elb, "update_member", {"member": {"weight": 0}}, {"member.weight": 0}, **mine)
        batch = [
            {"address": world.node(n), "protocol_port": 30080, "subnet_cidr_id": world.node_subnet}
            for n in (1, 2, 3, 4)
        ]
        added = kind.ok(
            "add four, one of them there already", elb, "batch_create_members", {"members": batch}, pool_id=pool
        ).members
        kind.that("its id is the old one", added[0].id == made.id, added[0].id)
        kind.that(
            "it is called existed",
            [m.ret_status for m in added] == ["existed"] + 3 * ["successful"],
            str([m.ret_status for m in added]),
        )
        ids = [m.id for m in added]
        kind.pages(elb, "list_members", "members", ids, pool_id=pool)
        kind.pages(elb, "list_all_members", "members", ids, loadbalancer_id=[balancer])
        changed = kind.ok(
            "update two",
            elb,
            "batch_update_members",
            {"members": [{"id": ids[1], "weight": 5}, {"id": ids[2], "weight": 6}]},
            pool_id=pool,
        )
        kind.that("both answered", len(changed.members) == 2, str(changed))
        kind.ok(
            "the second has its weight", elb, "show_member", None, {"member.weight": 5}, pool_id=pool, member_id=ids[1]
        )
        gone = kind.ok(
            "delete three, one of them unknown",
            elb,
            "batch_delete_members",
            {"members": [{"id": ids[1]}, {"id": ids[2]}, {"id": balancer}]},
            pool_id=pool,
        ).members
        kind.that(
            "each with its fate",
            [m.ret_status for m in gone] == ["successful", "successful", "not found"],
            str([m.ret_status for m in gone]),
        )
        kind.refused(
            "201 at once",
            400,
            "ELB.8902",
            elb,
            "batch_delete_members",
            {"members": [{"id": ids[1]}] * 201},
            pool_id=pool,
        )
        kind.ok("delete", elb, "delete_member", None, {"status_code": 204}, **mine)
        kind.gone(elb, "show_member", "ELB.8904", **mine)
        elb.call("delete_load_balancer_force", loadbalancer_id=balancer)


def health_monitor(world):
    elb = world.elb
    with Kind("health-monitor") as kind:
        balancer = make(world)
        pool = make_pool(world, make_listener(world, balancer))
        body = {
            "pool_id": pool,
            "type": "HTTP",
            "delay": 5,
            "timeout": 3,
            "max_retries": 3,
            "url_path": "/healthz",
            "expected_codes": "200-204",
            "name": "probe",
        }
        made = kind.ok(
            "create",
            elb,
            "create_health_monitor",
            {"healthmonitor": body},
            {
                "status_code": 201,
                "healthmonitor.type": "HTTP",
                "healthmonitor.pools.0.id": pool,
                "healthmonitor.expected_codes": "200-204",
                "healthmonitor.max_retries_down": 3,
                "healthmonitor.monitor_port": None,
            },
        ).healthmonitor
        mine = {"healthmonitor_id": made.id}
        kind.ok("its pool knows", elb, "show_pool", None, {"pool.healthmonitor_id": made.id}, pool_id=pool)
        kind.refused("second monitor", 409, "ELB.8907", elb, "create_health_monitor", {"healthmonitor": body})
        kind.refused(
            "a type that does not fit",
            400,
            "ELB.8902",
            elb,
            "update_health_monitor",
            {"healthmonitor": {"type": "UDP_CONNECT"}},
            **mine,
        )
        kind.refused(
            "no such codes",
            400,
            "ELB.8902",
            elb,
            "update_health_monitor",
            {"healthmonitor": {"expected_codes": "fine"}},
            **mine,
        )
        kind.refused(
            "delay out of range",
            400,
            "ELB.8902",
            elb,
            "update_health_monitor",
            {"healthmonitor": {"delay": 51}},
            **mine,
        )
        others = []
        for port in (81, 82, 83):
            other = make_pool(world, make_listener(world, balancer, port))
            other = {"pool_id": other, "type": "TCP", "delay": 5, "timeout": 3, "max_retries": 3}
            others.append(elb.call("create_health_monitor", {"healthmonitor": other}).healthmonitor.id)
        kind.ok("show", elb, "show_health_monitor", None, {"healthmonitor.url_path": "/healthz"}, **mine)
        kind.pages(elb, "list_health_monitors", "healthmonitors", [made.id, *others])
        kind.ok(
            "update",
            elb,
            "update_health_monitor",
            {"healthmonitor": {"delay": 10, "monitor_port": 8080}},
            {"healthmonitor.delay": 10, "healthmonitor.monitor_port": 8080, "healthmonitor.type": "HTTP"},
            **mine,
        )
        kind.refused("the pool goes after it", 409, "ELB.8907", elb, "delete_pool", pool_id=pool)
        kind.ok("delete", elb, "delete_health_monitor", None, {"status_code": 204}, **mine)
        kind.gone(elb, "show_health_monitor", "ELB.8904", **mine)
        elb.call("delete_load_balancer_force", loadbalancer_id=balancer)
