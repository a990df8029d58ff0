"""NAT gateways and the rules by which they let the world in."""

import eip
from sdk import Kind


def lives(world):
    gateway(world)
    rule(world)


def make(world, name="gate"):
    body = {"name": name, "spec": "1", "router_id": world.vpc, "internal_network_id": world.node_network}
    return world.nat.call("create_nat_gateway", {"nat_gateway": body}).nat_gateway.id


def gateway(world):
    nat = world.nat
    with Kind("nat-gateway") as kind:
        body = {"name": "gate", "description": "in", "spec": "1", "router_id": world.vpc}
        body["internal_network_id"] = world.node_network
        seen = {
            "status_code": 201,
            "nat_gateway.name": "gate",
            "nat_gateway.router_id": world.vpc,
            "nat_gateway.status": "ACTIVE",
            "nat_gateway.dnat_rules_limit": 200,
        }
        made = kind.ok("create", nat, "create_nat_gateway", {"nat_gateway": body}, seen).nat_gateway
        mine = {"nat_gateway_id": made.id}
        others = [made.id] + [make(world, f"other-{n}") for n in range(3)]
        kind.ok("show", nat, "show_nat_gateway", None, {"nat_gateway.spec": "1"}, **mine)
        kind.pages(nat, "list_nat_gateways", "nat_gateways", others)
        named = kind.ok(
            "list by name", nat, "list_nat_gateways", None, {"nat_gateways.0.id": others[1]}, name="other-0"
        )
        kind.that("one has it", len(named.nat_gateways) == 1, str(named))
        change = {"nat_gateway": {"name": "gate-2", "spec": "2"}}
        seen = {"nat_gateway.name": "gate-2", "nat_gateway.spec": "2", "nat_gateway.description": "in"}
        kind.ok("update", nat, "update_nat_gateway", change, seen, **mine)
        wrong = {"nat_gateway": {**body, "spec": "9"}}
        kind.refused("a size that there is not", 400, "NAT.0301", nat, "create_nat_gateway", wrong)
        tags = {"action": "create", "tags": [{"key": "team", "value": "a"}]}
        kind.ok("tag", nat, "batch_create_delete_nat_gateway_tag", tags, **mine)
        kind.ok("tags", nat, "show_nat_gateway_tag", None, {"tags.0.value": "a"}, **mine)
        kind.ok("delete", nat, "delete_nat_gateway", None, {"status_code": 204}, **mine)
        kind.gone(nat, "show_nat_gateway", "NAT.0105", **mine)
        for other in others[1:]:
            nat.call("delete_nat_gateway", nat_gateway_id=other)


def rule(world):
    nat = world.nat
    with Kind("dnat-rule") as kind:
        gate, public_ip = make(world), eip.make(world)
        [first, second] = [
            world.network.call("list_ports", fixed_ips=[f"ip_address={world.node(n)}"]).ports[0].id for n in (1, 2)
        ]
        body = {
            "nat_gateway_id": gate,
            "floating_ip_id": public_ip,
            "port_id": first,
            "protocol": "TCP",
            "internal_service_port": 30080,
            "external_service_port": 80,
            "description": "web",
        }
        seen = {
            "status_code": 201,
            "dnat_rule.port_id": first,
            "dnat_rule.private_ip": "",
            "dnat_rule.internal_service_port": 30080,
            "dnat_rule.external_service_port": 80,
            "dnat_rule.status": "ACTIVE",
        }
        made = kind.ok("create", nat, "create_nat_gateway_dnat_rule", {"dnat_rule": body}, seen).dnat_rule
        mine = {"dnat_rule_id": made.id}
        create = "create_nat_gateway_dnat_rule"
        kind.refused("same public port again", 400, "NAT.0305", nat, create,
                     {"dnat_rule": {**body, "port_id": second}})  # fmt: skip
        kind.refused("same private port again", 400, "NAT.0304", nat, create,
                     {"dnat_rule": {**body, "external_service_port": 81}})  # fmt: skip
        kind.refused("no target", 400, "NAT.0310", nat, create, {"dnat_rule": {**body, "port_id": None}})
        kind.refused("two targets", 400, "NAT.0317", nat, create, {"dnat_rule": {**body, "private_ip": "10.9.9.9"}})
        kind.refused("unknown protocol", 400, "NAT.0302", nat, create, {"dnat_rule": {**body, "protocol": "sctp"}})
        kind.refused("port 0 alone", 400, "NAT.0306", nat, create, {"dnat_rule": {**body, "internal_service_port": 0}})
        kind.refused("unknown gateway", 404, "NAT.0105", nat, create,
                     {"dnat_rule": {**body, "nat_gateway_id": first}})  # fmt: skip
        batch = [{**body, "internal_service_port": port, "external_service_port": port} for port in (81, 82, 83)]
        made_at_once = kind.ok("create three", nat, "batch_create_nat_gateway_dnat_rules", {"dnat_rules": batch})
        ids = [made.id] + [rule.id for rule in made_at_once.dnat_rules]
        kind.ok("show", nat, "show_nat_gateway_dnat_rule", None, {"dnat_rule.description": "web"}, **mine)
        kind.pages(nat, "list_nat_gateway_dnat_rules", "dnat_rules", ids, nat_gateway_id=[gate])
        of_port = kind.ok("list by port", nat, "list_nat_gateway_dnat_rules", external_service_port=81)
        kind.that("one has it", [rule.id for rule in of_port.dnat_rules] == ids[1:2], str(of_port))
        change = {"dnat_rule": {"nat_gateway_id": gate, "port_id": second}}
        seen = {"dnat_rule.port_id": second, "dnat_rule.external_service_port": 80, "dnat_rule.id": made.id}
        kind.ok("repoint", nat, "update_nat_gateway_dnat_rule", change, seen, **mine)
        kind.refused("release the public IP that it uses", 409, "VPC.0517", world.eip, "delete_publicip",
                     publicip_id=public_ip)  # fmt: skip
        kind.refused("delete the gateway before it", 409, "NAT.0107", nat, "delete_nat_gateway", nat_gateway_id=gate)
        kind.ok("delete", nat, "delete_nat_gateway_dnat_rule", None, {"status_code": 204}, nat_gateway_id=gate, **mine)
        kind.gone(nat, "show_nat_gateway_dnat_rule", "NAT.0319", **mine)
        for other in ids[1:]:
            nat.call("delete_nat_gateway_dnat_rule", nat_gateway_id=gate, dnat_rule_id=other)
        kind.ok("the public IP is free", world.eip_v3, "show_publicip", None, {"publicip.status": "DOWN"},
                publicip_id=public_ip)  # fmt: skip
        world.eip.call("delete_publicip", publicip_id=public_ip)
        nat.call("delete_nat_gateway", nat_gateway_id=gate)
