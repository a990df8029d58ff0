"""Who may call: projects, domains, users, signatures, tokens and temporary keys."""

import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.signer.algorithm import SigningAlgorithm

from sdk import Kind, Service, token_credentials


def lives(world):
    iam = Service("iam", "v3", world.endpoint, GlobalCredentials(world.access_key, world.secret_key, world.domain))
    with Kind("project") as kind:
        seen = {"projects.0.id": world.project, "projects.0.name": world.region}
        kind.ok("list by region", iam, "keystone_list_projects", None, seen, name=world.region)
        kind.ok("none of that name", iam, "keystone_list_projects", None, {"projects": []}, name="mars-1")
        kind.ok("show", iam, "keystone_show_project", None, {"project.enabled": True}, project_id=world.project)
        kind.ok("domains", iam, "keystone_list_auth_domains", None, {"domains.0.id": world.domain})
        found = BasicCredentials(world.access_key, world.secret_key).with_iam_endpoint(world.endpoint)
        client = world.elb.models.ElbClient.new_builder().with_credentials(found)
        client = client.with_region(Region(world.region, world.endpoint)).build()
        seen = client.get_credentials().project_id
        kind.that("found from the region's name", seen == world.project, seen)
    signatures(world)
    tokens(world, iam)


def signatures(world):
    with Kind("signature") as kind:

        def refused(what, status, code, credentials, config=None):
            stranger = Service("elb", "v3", world.endpoint, credentials, config)
            kind.refused(what, status, code, stranger, "list_load_balancers")

        def keys(access=world.access_key, secret=world.secret_key, project=world.project):
            return BasicCredentials(access, secret, project)

        refused("wrong secret key", 401, "APIG.0301", keys(secret="wrong"))
        refused("unknown access key", 401, "APIG.0301", keys(access="stranger"))
        refused("somebody else's project", 403, "SYS.0403", keys(project="0" * 32))
        refused("security token without temporary key", 401, "APIG.0301", keys(access="x").with_security_token("x"))
        sm3 = HttpConfig(signing_algorithm=SigningAlgorithm.HMAC_SM3)
        refused("another hash", 401, "APIG.0301", keys(), sm3)
        derived = keys().with_derived_predicate(lambda _: True)
        derived._process_derived_auth_params("elb", world.region)
        refused("a derived key", 401, "APIG.0301", derived)


def tokens(world, iam):
    def body(password):
        user = {"domain": {"name": "ferrolb"}, "name": "ferrolb", "password": password}
        identity = {"methods": ["password"], "password": {"user": user}}
        return {"auth": {"identity": identity, "scope": {"project": {"name": world.region}}}}

    def elb_with(credentials):
        return Service("elb", "v3", world.endpoint, credentials)

    create = "keystone_create_user_token_by_password"
    with Kind("token") as kind:
        seen = {"status_code": 201, "token.project.id": world.project, "token.user.name": "ferrolb"}
        made = kind.ok("create", iam, create, body("ferrolb-mock-password"), seen)
        token = made.x_subject_token
        kind.that("comes in a header", bool(token), str(token))
        kind.refused("wrong password", 401, 401, iam, create, body("guess"))
        holder = elb_with(token_credentials(token, world.project))
        kind.ok("opens other services", holder, "list_load_balancers")
        kind.ok("whose it is", iam, "keystone_show_user", None, {"user.name": "ferrolb"}, user_id=made.token.user.id)
        forged = elb_with(token_credentials("x" + token, world.project))
        kind.refused("a forged one", 401, "APIG.0301", forged, "list_load_balancers")
    with Kind("temporary-key") as kind:

        def key_body(seconds):
            identity = {"methods": ["token"], "token": {"id": token, "duration_seconds": seconds}}
            return {"auth": {"identity": identity}}

        create = "create_temporary_access_key_by_token"
        key = kind.ok("create", iam, create, key_body(900), {"status_code": 201}).credential
        pair = BasicCredentials(key.access, key.secret, world.project)
        kind.refused("without its token", 401, "APIG.0301", elb_with(pair), "list_load_balancers")
        kind.ok("with its token", elb_with(pair.with_security_token(key.securitytoken)), "list_load_balancers")
        kind.refused("for a minute", 400, "IAM.0011", iam, create, key_body(60))
    with Kind("token-expiry") as kind:
        time.sleep(max(0, world.token_seconds + 0.5))
        kind.refused("after its end", 401, "APIG.0307", holder, "list_load_balancers")
        kind.refused("no key for it", 400, "IAM.0011", iam, create, key_body(900))
