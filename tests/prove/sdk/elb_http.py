"""What HTTP and TLS listeners need besides: certificates, security policies, forwarding policies and their rules."""

from pathlib import Path

from elb import make, make_listener
from sdk import Kind

# Of shop.example, made for the proofs, good for nothing else.
CERTIFICATE = Path(__file__).with_name("shop.pem").read_text()
PRIVATE_KEY = Path(__file__).with_name("shop.key").read_text()


def lives(world):
    certificate(world)
    security_policy(world)
    l7_policy(world)


def make_certificate(world, **fields):
    body = {"certificate": CERTIFICATE, "private_key": PRIVATE_KEY, **fields}
    return world.elb.call("create_certificate", {"certificate": body}).certificate.id


def certificate(world):
    elb = world.elb
    with Kind("certificate") as kind:
        body = {"name": "shop", "domain": "shop.example", "certificate": CERTIFICATE, "private_key": PRIVATE_KEY}
        seen = {
            "status_code": 201,
            "certificate.type": "server",
            "certificate.domain": "shop.example",
            "certificate.certificate": CERTIFICATE,
            "certificate.private_key": None,
        }
        made = kind.ok("create", elb, "create_certificate", {"certificate": body}, seen).certificate
        kind.that("an id without dashes", len(made.id) == 32 and "-" not in made.id, made.id)
        mine = {"certificate_id": made.id}
        others = [make_certificate(world, name=f"other-{n}") for n in range(3)]
        kind.ok("show", elb, "show_certificate", None, {"certificate.name": "shop"}, **mine)
        kind.pages(elb, "list_certificates", "certificates", [made.id, *others])
        change = {"certificate": {"name": "shop-2"}}
        seen = {"certificate.name": "shop-2", "certificate.domain": "shop.example"}
        kind.ok("update", elb, "update_certificate", change, seen, **mine)
        keyless = {"certificate": {"certificate": CERTIFICATE}}
        kind.refused("without key", 400, "ELB.9805", elb, "create_certificate", keyless)
        kind.refused(
            "no PEM", 400, "ELB.8902", elb, "create_certificate", {"certificate": {**body, "certificate": "x"}}
        )
        authority = {"certificate": {"type": "client", "certificate": CERTIFICATE}}
        client = kind.ok(
            "an authority", elb, "create_certificate", authority, {"certificate.type": "client"}
        ).certificate
        balancer = make(world)
        https = {"loadbalancer_id": balancer, "protocol": "HTTPS", "protocol_port": 443}
        kind.refused("HTTPS without one", 400, "ELB.9805", elb, "create_listener", {"listener": https})
        wrong = {"listener": {**https, "default_tls_container_ref": client.id}}
        kind.refused("HTTPS with an authority", 400, "ELB.8902", elb, "create_listener", wrong)
        unknown = {"listener": {**https, "default_tls_container_ref": "0" * 32}}
        kind.refused("HTTPS with none that there is", 404, "ELB.8904", elb, "create_listener", unknown)
        good = {**https, "default_tls_container_ref": made.id, "sni_container_refs": others[:1]}
        seen = {"listener.default_tls_container_ref": made.id, "listener.sni_container_refs": others[:1]}
        listener = kind.ok("HTTPS with it", elb, "create_listener", {"listener": good}, seen).listener
        kind.refused("delete while in use", 409, "ELB.8907", elb, "delete_certificate", **mine)
        kind.refused(
            "delete while in use by name", 409, "ELB.8907", elb, "delete_certificate", certificate_id=others[0]
        )
        elb.call("delete_listener", listener_id=listener.id)
        kind.ok("delete", elb, "delete_certificate", None, {"status_code": 204}, **mine)
        kind.gone(elb, "show_certificate", "ELB.8904", **mine)
        for other in [client.id, *others]:
            elb.call("delete_certificate", certificate_id=other)
        elb.call("delete_load_balancer", loadbalancer_id=balancer)


def security_policy(world):
    elb = world.elb
    with Kind("security-policy") as kind:
        body = {"name": "strict", "protocols": ["TLSv1.3"], "ciphers": ["TLS_AES_256_GCM_SHA384"]}
        seen = {"status_code": 201, "security_policy.protocols": ["TLSv1.3"], "security_policy.listeners": []}
        made = kind.ok("create", elb, "create_security_policy", {"security_policy": body}, seen).security_policy
        mine = {"security_policy_id": made.id}
        others = [elb.call("create_security_policy", {"security_policy": body}).security_policy.id for _ in range(3)]
        kind.ok("show", elb, "show_security_policy", None, {"security_policy.name": "strict"}, **mine)
        kind.pages(elb, "list_security_policies", "security_policies", [made.id, *others])
        change = {"security_policy": {"protocols": ["TLSv1.2", "TLSv1.3"]}}
        seen = {"security_policy.protocols": ["TLSv1.2", "TLSv1.3"], "security_policy.name": "strict"}
        kind.ok("update", elb, "update_security_policy", change, seen, **mine)
        wrong = {"security_policy": {**body, "protocols": ["SSLv3"]}}
        kind.refused("a protocol of old", 400, "ELB.8902", elb, "create_security_policy", wrong)
        system = kind.ok("those of the system", elb, "list_system_security_policies").system_security_policies
        kind.that("tls-1-2 is there", any(policy.name == "tls-1-2" for policy in system), str(system))
        balancer, certificate = make(world), make_certificate(world)
        tls = {"default_tls_container_ref": certificate, "security_policy_id": made.id}
        listener = make_listener(world, balancer, 443, "HTTPS", **tls)
        in_use = {"security_policy.listeners.0.id": listener}
        kind.ok("who uses it", elb, "show_security_policy", None, in_use, **mine)
        kind.refused("delete while in use", 409, "ELB.8907", elb, "delete_security_policy", **mine)
        elb.call("delete_load_balancer_force", loadbalancer_id=balancer)
        kind.ok("delete", elb, "delete_security_policy", None, {"status_code": 204}, **mine)
        kind.gone(elb, "show_security_policy", "ELB.8904", **mine)
        elb.call("delete_certificate", certificate_id=certificate)
        for other in others:
            elb.call("delete_security_policy", security_policy_id=other)


def l7_policy(world):
    elb = world.elb
    balancer = make(world)
    http = make_listener(world, balancer, 80, "HTTP")
    pool = {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "loadbalancer_id": balancer}
    pool = elb.call("create_pool", {"pool": pool}).pool.id
    body = {"listener_id": http, "action": "REDIRECT_TO_POOL", "redirect_pool_id": pool, "name": "api"}
    with Kind("l7-policy") as kind:
        rules = [{"type": "PATH", "compare_type": "STARTS_WITH", "value": "/api"}]
        seen = {
            "status_code": 201,
            "l7policy.action": "REDIRECT_TO_POOL",
            "l7policy.redirect_pool_id": pool,
            "l7policy.provisioning_status": "ACTIVE",
        }
        made = kind.ok("create", elb, "create_l7_policy", {"l7policy": {**body, "rules": rules}}, seen).l7policy
        kind.that("with its rule", len(made.rules) == 1, str(made.rules))
        mine = {"l7policy_id": made.id}
        others = [elb.call("create_l7_policy", {"l7policy": body}).l7policy.id for _ in range(3)]
        kind.ok("show", elb, "show_l7_policy", None, {"l7policy.name": "api"}, **mine)
        kind.pages(elb, "list_l7_policies", "l7policies", [made.id, *others], listener_id=[http])
        change = {"l7policy": {"name": "api-2"}}
        kind.ok("update", elb, "update_l7_policy", change, {"l7policy.name": "api-2"}, **mine)
        nowhere = {"l7policy": {"listener_id": http, "action": "REDIRECT_TO_POOL"}}
        kind.refused("to no pool", 400, "ELB.9805", elb, "create_l7_policy", nowhere)
        tcp = {"l7policy": {**body, "listener_id": make_listener(world, balancer, 81)}}
        kind.refused("of a TCP listener", 400, "ELB.8902", elb, "create_l7_policy", tcp)
        kind.refused("the pool goes after it", 409, "ELB.8907", elb, "delete_pool", pool_id=pool)
        kind.refused("the listener goes after it", 409, "ELB.8907", elb, "delete_listener", listener_id=http)
        kind.ok("delete", elb, "delete_l7_policy", None, {"status_code": 204}, l7policy_id=others[0])
        kind.gone(elb, "show_l7_policy", "ELB.8904", l7policy_id=others[0])
    with Kind("l7-rule") as kind:
        rule = {"type": "HOST_NAME", "compare_type": "EQUAL_TO", "value": "shop.example"}
        seen = {"status_code": 201, "rule.type": "HOST_NAME", "rule.value": "shop.example"}
        created = kind.ok("create", elb, "create_l7_rule", {"rule": rule}, seen, **mine).rule
        one = {"l7rule_id": created.id, **mine}
        ids = [created.id, made.rules[0].id]
        ids += [elb.call("create_l7_rule", {"rule": rule}, **mine).rule.id for _ in range(2)]
        kind.ok("show", elb, "show_l7_rule", None, {"rule.compare_type": "EQUAL_TO"}, **one)
        kind.pages(elb, "list_l7_rules", "rules", ids, **mine)
        kind.ok("update", elb, "update_l7_rule", {"rule": {"value": "x.example"}}, {"rule.value": "x.example"}, **one)
        wrong = {"rule": {**rule, "compare_type": "SOUNDS_LIKE"}}
        kind.refused("unknown comparison", 400, "ELB.8902", elb, "create_l7_rule", wrong, **mine)
        kind.refused("of another policy", 404, "ELB.8904", elb, "show_l7_rule", l7policy_id=others[1], l7rule_id=ids[0])
        kind.ok("delete", elb, "delete_l7_rule", None, {"status_code": 204}, **one)
        kind.gone(elb, "show_l7_rule", "ELB.8904", **one)
        kind.ok("delete the listener by force", elb, "delete_listener_force", listener_id=http)
        kind.gone(elb, "show_l7_policy", "ELB.8904", **mine)
        elb.call("delete_load_balancer_force", loadbalancer_id=balancer)
