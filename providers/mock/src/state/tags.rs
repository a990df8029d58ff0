//! Changing the tags of the objects that have some.

use jiff::Timestamp;

use super::{Cloud, Refusal, Tag, Tagged};

impl Cloud {
    /// Sets the tags by key, or takes them away; the others stay.
    pub fn set_tags<T: Tagged>(&mut self, now: Timestamp, id: &str, tags: &[Tag], delete: bool) -> Result<(), Refusal> {
        self.find::<T>(id)?;
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
