//! A load balancer provider that keeps its balancers in memory.
use ferrolb_provider::*;
use std::{net::IpAddr, sync::Mutex, time::Duration};

type Result<T> = std::result::Result<T, ProviderError>;

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

#[derive(Clone, Debug, PartialEq, serde::Serialize)]
struct Balancer(Vec<Port>);

impl Resource for Balancer {
    fn slot(&self) -> Slot {
        Slot::new("balancer", "main")
    }
    fn change(&self, seen: &Self) -> Change {
        let ports = || Change::Update(vec!["ports"]);
        (self != seen).then(ports).unwrap_or(Change::None)
    }
    fn addresses(&self) -> Vec<IpAddr> {
        vec![ADDRESS]
    }
}

#[derive(Default)]
struct Memory(Mutex<Vec<(Owner, Seen<Balancer>)>>);

impl Provider for Memory {
    type Resource = Balancer;

    fn model(&self, want: &Desired) -> std::result::Result<Model<Balancer>, Vec<Problem>> {
        let (resources, warnings) = (vec![Balancer(want.ports.clone())], vec![]);
        Ok(Model { resources, warnings })
    }

    async fn list(&self, owner: &Owner, _: &[Balancer]) -> Result<Vec<Seen<Balancer>>> {
        let all = self.0.lock().expect("nobody panics with it");
        let ours = all.iter().filter(|(o, _)| o.uid == owner.uid);
        Ok(ours.map(|(_, seen)| seen.clone()).collect())
    }

    async fn apply(&self, owner: &Owner, step: &Step<Balancer>) -> Result<Vec<Seen<Balancer>>> {
        let mut all = self.0.lock().expect("nobody panics with it");
        let item = &step.items[0]; // one per step, unless `Resource::batch` says more
        let id = Id(owner.uid.clone()); // a cloud would make one up
        all.retain(|(_, seen)| seen.id != id);
        if step.verb == Verb::Delete {
            return Ok(vec![]);
        }
        let (resource, parents, created) = (item.resource.clone(), vec![], String::new());
        let (owned, state) = (true, State::Ready);
        let seen = Seen { id, resource, parents, owned, created, state };
        all.push((owner.clone(), seen.clone())); // the owner mark, in the same call
        Ok(vec![seen])
    }

    fn status(&self, _: &[Balancer], seen: &[Seen<Balancer>]) -> Serving {
        let (ip, mode) = (ADDRESS, IpMode::Vip);
        let ports = |b: &Balancer| b.0.iter().map(|p| (p.protocol, p.port)).collect();
        let address = |s: &Seen<Balancer>| Address { ip, mode, ports: ports(&s.resource) };
        Serving { addresses: seen.iter().map(address).collect(), ..Serving::default() }
    }

    async fn owners(&self, cluster: &str) -> Result<Vec<Owner>> {
        let all = self.0.lock().expect("nobody panics with it");
        let owners = all.iter().map(|(owner, _)| owner.clone());
        Ok(owners.filter(|o| o.cluster == cluster).collect())
    }
}

fn main() {
    let engine = Engine::new(Memory::default(), Duration::from_secs(30), Duration::ZERO);
    let _: &dyn Driver = &engine; // ready to be registered with a controller
}
