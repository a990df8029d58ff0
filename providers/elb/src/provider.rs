//! [`Elb`]: the provider.

use std::sync::Arc;

use ferrolb_provider::{Desired, Model, Owner, Problem, Provider, ProviderError, Seen, Serving, Step};
use tracing::Instrument;

use crate::apply::Apply;
use crate::client::{Client, Clock, CredentialsSource, Observer, Transport};
use crate::config::ElbConfig;
use crate::flavor::Flavors;
use crate::list::{Cloud, KindOwners, Lists, Looks, RuleOwners};
use crate::resource::ElbResource;
use crate::{list, model, status};

/// The Huawei-style cloud.
pub struct Elb {
    config: ElbConfig,
    client: Client,
    lists: Lists,
    flavors: Flavors,
    rule_owners: RuleOwners,
    group_owners: KindOwners,
    lent_owners: KindOwners,
}

impl Elb {
    /// A provider for one project of one cloud.
    pub fn new(
        config: ElbConfig,
        transport: Arc<dyn Transport>,
        credentials: Arc<dyn CredentialsSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let client = Client::new(&config, transport, credentials, clock);
        Self {
            client,
            config,
            lists: Lists::default(),
            flavors: Flavors::default(),
            rule_owners: RuleOwners::default(),
            group_owners: KindOwners::of(|r| matches!(r, ElbResource::IpGroup(_))),
            lent_owners: KindOwners::of(|r| matches!(r, ElbResource::Association(_))),
        }
    }

    /// The same, telling of each call.
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        self.client.observe(observer);
        self
    }
}

impl Provider for Elb {
    type Resource = ElbResource;

    fn model(&self, want: &Desired) -> Result<Model<ElbResource>, Vec<Problem>> {
        model::model(want, &self.config)
    }

    async fn list(&self, owner: &Owner, model: &[ElbResource]) -> Result<Vec<Seen<ElbResource>>, ProviderError> {
        let now = self.client.now();
        let looks = Looks {
            may_have_rules: self.rule_owners.may_have(owner, model),
            groups: self.group_owners.may_have(owner, model),
            lent: self.lent_owners.may_have(owner, model),
        };
        let cloud = Cloud {
            client: self.client.of(owner),
            lists: &self.lists,
            flavors: &self.flavors,
            rule_owners: &self.rule_owners,
            vpc: &self.config.vpc_id,
        };
        let listed = list::list(&cloud, owner, model, looks);
        let seen = listed.instrument(span(owner)).await?;
        self.rule_owners.note(owner, &seen);
        self.group_owners.note(owner, model, &seen, now);
        self.lent_owners.note(owner, model, &seen, now);
        Ok(seen)
    }

    async fn apply(&self, owner: &Owner, step: &Step<ElbResource>) -> Result<Vec<Seen<ElbResource>>, ProviderError> {
        let apply =
            Apply { client: self.client.of(owner).for_step(), config: &self.config, flavors: &self.flavors, owner };
        apply.step(step).instrument(span(owner)).await
    }

    fn status(&self, model: &[ElbResource], seen: &[Seen<ElbResource>]) -> Serving {
        status::status(model, seen, self.config.ip_mode)
    }

    async fn owners(&self, cluster: &str) -> Result<Vec<Owner>, ProviderError> {
        list::owners(&self.client, cluster).await
    }
}

/// Says in every line of the log for whom a call is made.
fn span(owner: &Owner) -> tracing::Span {
    let service = format!("{}/{}", owner.namespace, owner.name);
    tracing::info_span!("elb", service, uid = owner.uid)
}
