//! Tags of what is there. AWS takes tags with a new target or alarm only, and shows none where these are read: what was put last is remembered.

use super::{Scene, push};
use crate::plan::Plan;
use crate::scaling::step::ScalingStep;
use crate::scaling::whose::{Whose, whose};

impl Scene<'_> {
    /// Puts the tags of the spec on what is ours, if others were put last, and takes away those that are no longer asked for.
    pub(super) fn tags(&self, plan: &mut Plan) {
        let wanted = self.desired.tags_hash();
        // Where nothing is remembered, nothing says that they differ.
        if self.memory.tags.as_ref().is_none_or(|last| *last == wanted) {
            return;
        }
        let tags = &self.desired.tags;
        let obsolete: Vec<String> = self
            .memory
            .tag_keys
            .iter()
            .filter(|key| !tags.contains_key(*key))
            .cloned()
            .collect();
        let ours = |arn: &str, remembered: bool| {
            whose(Some(arn), remembered, self.observed, &self.desired.owner) == Whose::Ours
        };
        let target = self.seen.target.as_ref().and_then(|seen| seen.arn.as_ref());
        if let Some(arn) = target.filter(|arn| ours(arn, self.memory.target.as_ref() == Some(arn)))
        {
            let (arn, tags) = (arn.clone(), tags.clone());
            // First those that go: a thing has room for fifty.
            if !obsolete.is_empty() {
                let (arn, keys) = (arn.clone(), obsolete.clone());
                push(plan, ScalingStep::UntagTarget { arn, keys });
            }
            push(plan, ScalingStep::TagTarget { arn, tags });
        }
        for (name, seen) in &self.seen.alarms {
            // What goes needs no tags, and what is new brings them.
            let stays = self.rendered.alarms.contains_key(name);
            if !stays || !ours(&seen.arn, self.memory.alarms.contains(name)) {
                continue;
            }
            let (name, arn, tags) = (name.clone(), seen.arn.clone(), tags.clone());
            if !obsolete.is_empty() {
                let (arn, keys) = (arn.clone(), obsolete.clone());
                push(plan, ScalingStep::UntagAlarm { arn, keys });
            }
            push(plan, ScalingStep::TagAlarm { name, arn, tags });
        }
    }
}
