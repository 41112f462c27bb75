//! Several watches as one: the first lists together are one list, later lists of one part become single changes. No IO of its own.
//!
//! Invariant: a new list of one Kubernetes namespace never makes the objects of another look gone.

use super::Events;
use crate::kind;
use futures::StreamExt;
use futures::stream::{self, SelectAll};
use kube::Resource;
use kube::runtime::watcher::Event;
use privateservice_core::owner::ObjectKey;
use std::collections::{HashMap, VecDeque};

/// Merges the events of watches that share no object.
pub(super) fn merge<T>(parts: Vec<Events<T>>) -> Events<T>
where
    T: Resource<DynamicType = ()> + Clone + Send + 'static,
{
    let merger = Merger::new(parts.len());
    let tagged: SelectAll<_> = parts
        .into_iter()
        .enumerate()
        .map(|(part, events)| events.map(move |event| (part, event)).boxed())
        .collect();
    stream::unfold(
        (tagged, merger, VecDeque::new()),
        |(mut tagged, mut merger, mut ready)| async {
            loop {
                if let Some(event) = ready.pop_front() {
                    return Some((event, (tagged, merger, ready)));
                }
                match tagged.next().await? {
                    (part, Ok(event)) => ready.extend(merger.take(part, event).into_iter().map(Ok)),
                    (_, Err(error)) => ready.push_back(Err(error)),
                }
            }
        },
    )
    .boxed()
}

/// The state of merging.
struct Merger<T> {
    parts: Vec<Part<T>>,
    /// True once every part was listed and the first common list was passed on.
    listed: bool,
}

struct Part<T> {
    /// The last object of each key, as it was passed on or is to be.
    known: HashMap<ObjectKey, T>,
    /// The list that is being received.
    listing: Option<HashMap<ObjectKey, T>>,
    done: bool,
}

impl<T: Resource<DynamicType = ()> + Clone> Merger<T> {
    fn new(parts: usize) -> Self {
        let part = || Part {
            known: HashMap::new(),
            listing: None,
            done: false,
        };
        Self {
            parts: (0..parts).map(|_| part()).collect(),
            listed: false,
        }
    }

    /// Takes an event of one part; yields those of the whole.
    fn take(&mut self, index: usize, event: Event<T>) -> Vec<Event<T>> {
        let listed = self.listed;
        let Some(part) = self.parts.get_mut(index) else {
            return vec![];
        };
        match event {
            Event::Init => {
                part.listing = Some(HashMap::new());
                vec![]
            }
            Event::InitApply(object) => {
                part.listing
                    .get_or_insert_default()
                    .insert(kind::key(&object), object);
                vec![]
            }
            Event::InitDone => {
                let now = part.listing.take().unwrap_or_default();
                let before = std::mem::replace(&mut part.known, now);
                part.done = true;
                if listed {
                    part.difference(before)
                } else {
                    self.first_list()
                }
            }
            Event::Apply(object) => {
                part.known.insert(kind::key(&object), object.clone());
                if listed {
                    vec![Event::Apply(object)]
                } else {
                    vec![]
                }
            }
            Event::Delete(object) => {
                part.known.remove(&kind::key(&object));
                if listed {
                    vec![Event::Delete(object)]
                } else {
                    vec![]
                }
            }
        }
    }

    /// One list of all parts, once the last of them is there.
    fn first_list(&mut self) -> Vec<Event<T>> {
        if !self.parts.iter().all(|part| part.done) {
            return vec![];
        }
        self.listed = true;
        let objects = self
            .parts
            .iter()
            .flat_map(|part| part.known.values().cloned());
        std::iter::once(Event::Init)
            .chain(objects.map(Event::InitApply))
            .chain(std::iter::once(Event::InitDone))
            .collect()
    }
}

impl<T: Clone> Part<T> {
    fn difference(&self, before: HashMap<ObjectKey, T>) -> Vec<Event<T>> {
        let gone = before
            .into_iter()
            .filter(|(key, _)| !self.known.contains_key(key));
        gone.map(|(_, object)| Event::Delete(object))
            .chain(self.known.values().cloned().map(Event::Apply))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::ResourceExt;
    use privateservice_api::PrivateService;

    fn object(namespace: &str, name: &str) -> PrivateService {
        let mut object = PrivateService::default();
        object.metadata.namespace = Some(namespace.into());
        object.metadata.name = Some(name.into());
        object
    }

    fn words(events: Vec<Event<PrivateService>>) -> Vec<String> {
        let mut words: Vec<String> = events
            .into_iter()
            .map(|event| match event {
                Event::Init => "init".into(),
                Event::InitDone => "done".into(),
                Event::Apply(object) => format!("apply {}", object.name_any()),
                Event::InitApply(object) => format!("list {}", object.name_any()),
                Event::Delete(object) => format!("delete {}", object.name_any()),
            })
            .collect();
        // Objects come in no order; the markers around them are checked by the callers.
        words.sort();
        words
    }

    fn listed(merger: &mut Merger<PrivateService>, part: usize, names: &[&str]) -> Vec<String> {
        assert_eq!(words(merger.take(part, Event::Init)), Vec::<String>::new());
        for name in names {
            let found = object(&part.to_string(), name);
            assert_eq!(
                words(merger.take(part, Event::InitApply(found))),
                Vec::<String>::new()
            );
        }
        words(merger.take(part, Event::InitDone))
    }

    #[test]
    fn the_first_list_waits_for_every_part() {
        let mut merger = Merger::new(2);
        assert_eq!(listed(&mut merger, 0, &["a"]), Vec::<String>::new());
        assert_eq!(
            words(merger.take(0, Event::Apply(object("0", "b")))),
            Vec::<String>::new()
        );
        assert_eq!(
            listed(&mut merger, 1, &["c"]),
            ["done", "init", "list a", "list b", "list c"]
        );
    }

    #[test]
    fn a_new_list_of_one_part_deletes_only_what_that_part_lost() {
        let mut merger = Merger::new(2);
        listed(&mut merger, 0, &["a", "b"]);
        listed(&mut merger, 1, &["c"]);
        assert_eq!(
            listed(&mut merger, 0, &["b", "d"]),
            ["apply b", "apply d", "delete a"]
        );
    }

    #[test]
    fn single_changes_pass_once_all_is_listed() {
        let mut merger = Merger::new(1);
        listed(&mut merger, 0, &[]);
        assert_eq!(
            words(merger.take(0, Event::Apply(object("0", "a")))),
            ["apply a"]
        );
        assert_eq!(
            words(merger.take(0, Event::Delete(object("0", "a")))),
            ["delete a"]
        );
    }
}
