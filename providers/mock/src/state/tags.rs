//! Tags of the objects that have some.

use jiff::Timestamp;

use super::{Cloud, Eip, Listener, LoadBalancer, NatGateway, Refusal, Store, Tag, eip, listener, loadbalancer};

/// A kind of object with tags.
pub trait Tagged: Clone + PartialEq + 'static {
    /// How refusals call it.
    const KIND: &'static str;
    fn store(cloud: &Cloud) -> &Store<Self>;
    fn store_mut(cloud: &mut Cloud) -> &mut Store<Self>;
    fn tags(&self) -> &[Tag];
    fn tags_mut(&mut self) -> &mut Vec<Tag>;
}

impl Cloud {
    pub fn tags<T: Tagged>(&self, id: &str) -> Result<&[Tag], Refusal> {
        T::store(self).get(id).map(T::tags).ok_or_else(|| Refusal::not_found(T::KIND, id))
    }

    /// Sets the tags by key, or takes them away; those without a key of theirs here stay.
    pub fn set_tags<T: Tagged>(&mut self, now: Timestamp, id: &str, tags: &[Tag], delete: bool) -> Result<(), Refusal> {
        self.tags::<T>(id)?;
        let changed = T::store_mut(self).update(id, now, |object| {
            let all = object.tags_mut();
            for tag in tags {
                match all.iter_mut().find(|known| known.key == tag.key) {
                    Some(known) if !delete => known.value.clone_from(&tag.value),
                    None if !delete => all.push(tag.clone()),
                    _ => all.retain(|known| known.key != tag.key),
                }
            }
        });
        self.touch_if(changed);
        Ok(())
    }
}

macro_rules! tagged {
    ($kind:ty, $name:expr, $store:ident) => {
        impl Tagged for $kind {
            const KIND: &'static str = $name;
            fn store(cloud: &Cloud) -> &Store<Self> {
                &cloud.$store
            }
            fn store_mut(cloud: &mut Cloud) -> &mut Store<Self> {
                &mut cloud.$store
            }
            fn tags(&self) -> &[Tag] {
                &self.tags
            }
            fn tags_mut(&mut self) -> &mut Vec<Tag> {
                &mut self.tags
            }
        }
    };
}

tagged!(LoadBalancer, loadbalancer::KIND, loadbalancers);
tagged!(Listener, listener::KIND, listeners);
tagged!(Eip, eip::KIND, eips);
tagged!(NatGateway, "NAT Gateway", nat_gateways);
