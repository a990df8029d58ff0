"""Who may call: projects, domains, signatures."""

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.region.region import Region

from sdk import Kind, Service, domain_credentials, project_credentials


def lives(world):
    with Kind("project") as kind:
        domain = domain_credentials(world.access_key, world.secret_key, world.domain)
        iam = Service("iam", "v3", world.endpoint, domain)
        kind.ok(
            "list by region",
            iam,
            "keystone_list_projects",
            None,
            {"projects.0.id": world.project, "projects.0.name": world.region},
            name=world.region,
        )
        kind.ok("none of that name", iam, "keystone_list_projects", None, {"projects": []}, name="mars-1")
        kind.ok("domains", iam, "keystone_list_auth_domains", None, {"domains.0.id": world.domain})
        found = BasicCredentials(world.access_key, world.secret_key).with_iam_endpoint(world.endpoint)
        client = world.elb.models.ElbClient.new_builder().with_credentials(found)
        client = client.with_region(Region(world.region, world.endpoint)).build()
        kind.that(
            "found from the region's name",
            client.get_credentials().project_id == world.project,
            client.get_credentials().project_id,
        )
    with Kind("signature") as kind:

        def refused(what, access_key, secret_key, status, code, project=world.project):
            stranger = Service("elb", "v3", world.endpoint, project_credentials(access_key, secret_key, project))
            kind.refused(what, status, code, stranger, "list_load_balancers")

        refused("wrong secret key", world.access_key, "wrong", 401, "APIG.0301")
        refused("unknown access key", "stranger", world.secret_key, 401, "APIG.0301")
        refused("somebody else's project", world.access_key, world.secret_key, 403, "SYS.0403", "0" * 32)
