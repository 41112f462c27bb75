//! What the number of tasks follows: CPU, memory, requests, each as far as it is on. Pure.

use super::Scaling;
use super::parts::{Query, Source, Watched};
use super::requests::{self, utilization};
use crate::names;
use crate::observed::Scope;

/// One metric that is on.
pub(super) enum Measure<'a> {
    /// CPU or memory: id, CloudWatch's name, threshold in percent.
    Utilization(&'static str, &'static str, i32),
    /// Requests: the ports and the threshold.
    Requests(&'a Scaling, i32),
}

/// The metrics that are on.
pub(super) fn measures(scaling: &Scaling) -> Vec<Measure<'_>> {
    let thresholds = scaling.thresholds;
    let utilization = |id, name| move |threshold| Measure::Utilization(id, name, threshold);
    [
        thresholds
            .cpu
            .map(utilization(names::CPU, "CPUUtilization")),
        thresholds
            .memory
            .map(utilization(names::MEMORY, "MemoryUtilization")),
        thresholds
            .requests
            .filter(|_| !scaling.request_ports.is_empty())
            .map(|threshold| Measure::Requests(scaling, threshold)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Measure<'_> {
    /// Its name in the names of what is made.
    pub(super) const fn id(&self) -> &'static str {
        match self {
            Self::Utilization(id, ..) => id,
            Self::Requests(..) => names::REQUESTS,
        }
    }

    /// The threshold in points: of percent, or of percent of itself.
    pub(super) const fn points(&self) -> i32 {
        match self {
            Self::Utilization(_, _, threshold) => *threshold,
            Self::Requests(..) => 100,
        }
    }

    /// What an alarm on this alone watches.
    pub(super) fn watched(&self, scope: &Scope) -> Watched {
        let cluster = names::last_segment(&scope.cluster_arn);
        match self {
            Self::Utilization(_, name, _) => {
                Watched::Metric(utilization(name, cluster, &scope.service))
            }
            Self::Requests(..) => Watched::Queries(sorted(self.queries(scope, true))),
        }
    }

    /// The same as queries of metric math; the last of them has the id that expressions name.
    pub(super) fn queries(&self, scope: &Scope, returns: bool) -> Vec<Query> {
        let cluster = names::last_segment(&scope.cluster_arn);
        match self {
            Self::Utilization(id, name, _) => vec![Query {
                id: (*id).into(),
                source: Source::Metric(utilization(name, cluster, &scope.service)),
                returns,
            }],
            Self::Requests(scaling, threshold) => requests::queries(
                &scaling.request_ports,
                cluster,
                &scope.service,
                Some(*threshold),
                returns,
            ),
        }
    }
}

/// As AWS's answers are brought into order too.
pub(super) fn sorted(mut queries: Vec<Query>) -> Vec<Query> {
    queries.sort();
    queries
}
