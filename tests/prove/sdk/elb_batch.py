"""Calls on several objects at once, jobs, and whitelists."""

import elb
import elb_v2
from sdk import Kind


def lives(world):
    batch(world)
    whitelist(world)


def batch(world):
    api = world.elb
    with Kind("batch") as kind:
        wish = {"name": "many", "number": 3, "guaranteed": True, "vip_subnet_cidr_id": world.vip_subnet}
        body = {"loadbalancer": {**wish, "availability_zone_list": world.zones[:1]}}
        made = kind.ok("create load balancers", api, "batch_create_load_balancers", body, {"status_code": 201})
        balancers = made.loadbalancer_ids
        kind.that("as many as wished", len(balancers) == 3, str(balancers))
        seen = {"job.status": "COMPLETE", "job.sub_jobs.2.entities.0.resource_id": balancers[2]}
        kind.ok("show the job", api, "show_job", None, seen, job_id=made.job_id)
        kind.ok("list its jobs", api, "list_jobs", None, {"jobs.0.job_id": made.job_id}, resource_id=balancers[0])
        kind.refused("show no job", 404, "ELB.8904", api, "show_job", job_id=balancers[0])
        mine = {"loadbalancer_id": balancers[0]}
        zones = {"availability_zone_list": world.zones[1:2]}
        seen = {"loadbalancer.availability_zone_list": world.zones[:2]}
        kind.ok("add a zone", api, "batch_add_available_zones", zones, seen, **mine)
        kind.refused("add it again", 400, "ELB.8902", api, "batch_add_available_zones", zones, **mine)
        kind.ok("remove it", api, "batch_remove_available_zones", zones, **mine)
        listeners = [elb.make_listener(world, balancers[0], port) for port in (80, 81)]
        pools = [elb.make_pool(world, listener) for listener in listeners]
        seen = {"pools.0.ret_status": "successful", "pools.1.ret_status": "failed", "pools.1.ret_code": "ELB.8904"}
        kind.ok("delete pools", api, "batch_delete_pools", {"pools": [pools[0], made.job_id]}, seen)
        wrong = {"listener_ids": [listeners[0], made.job_id]}
        kind.refused("delete listeners, one missing", 404, "ELB.8904", api, "batch_delete_listeners", wrong)
        kind.ok("delete listeners", api, "batch_delete_listeners", {"listener_ids": listeners})
        kind.gone(api, "show_listener", "ELB.8904", listener_id=listeners[0])
        kind.ok("delete load balancers", api, "batch_delete_loadbalancers", {"loadbalancer_ids": balancers})
        kind.gone(api, "show_load_balancer", "ELB.8904", **mine)


def whitelist(world):
    v2 = world.elb_v2
    balancer = elb_v2.make(world)
    with Kind("v2-whitelist") as kind:
        listeners = [elb.make_listener(world, balancer, port) for port in (80, 81, 82)]
        body = {"whitelist": {"listener_id": listeners[0], "enable_whitelist": True, "whitelist": "10.0.0.0/8,192.0.2.7"}}
        seen = {"status_code": 201, "whitelist.whitelist": "10.0.0.0/8,192.0.2.7"}
        made = kind.ok("create", v2, "create_whitelist", body, seen).whitelist.id
        kind.refused("a second one", 409, "ELB.8907", v2, "create_whitelist", body)
        others = [
            v2.call("create_whitelist", {"whitelist": {"listener_id": listener}}).whitelist.id
            for listener in listeners[1:]
        ]
        kind.pages(v2, "list_whitelists", "whitelists", [made, *others])
        change = {"whitelist": {"enable_whitelist": False}}
        seen = {"whitelist.enable_whitelist": False, "whitelist.listener_id": listeners[0]}
        kind.ok("switch it off", v2, "update_whitelist", change, seen, whitelist_id=made)
        wrong = {"whitelist": {"whitelist": "everybody"}}
        kind.refused("a wrong address", 400, "ELB.8902", v2, "update_whitelist", wrong, whitelist_id=made)
        kind.ok("show", v2, "show_whitelist", None, seen, whitelist_id=made)
        kind.ok("delete", v2, "delete_whitelist", None, {"status_code": 204}, whitelist_id=made)
        kind.gone(v2, "show_whitelist", "ELB.8904", whitelist_id=made)
    world.elb.call("delete_load_balancer_force", loadbalancer_id=balancer)
