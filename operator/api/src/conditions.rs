//! Types and reasons of the conditions in `status`, as closed sets.
//!
//! No IO. Invariant: these words are public API; users, GitOps tools and alerts match on them, so
//! a variant is never renamed. A reason is at once the condition's reason, the Event's reason and
//! a metric label, which keeps the number of metric series bounded.

use std::fmt;

/// Declares an enum of fixed words together with `ALL` and `as_str`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in objects.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }

            /// Reads a word back; `None` if it is not one of ours.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The `type` of a condition.
    ConditionType {
        /// Always present: does what the spec asks for run, completely?
        Ready,
        /// Present only while True: the operator is working towards the spec, or waits for
        /// something that may come by itself.
        Reconciling,
        /// Present only while True, never together with `Reconciling`: somebody has to act.
        Stalled,
        /// The image to run is known.
        SourceReady,
        /// Secrets are where ECS reads them.
        SecretsSynced,
        /// Service Connect and DNS answer for the service.
        DiscoveryReady,
        /// The newest rollout has finished.
        RolloutComplete,
        /// Scaling targets, policies and alarms are in place.
        AutoscalingReady,
    }
}

words! {
    /// The `reason` of a condition.
    Reason {
        /// All is as the spec says.
        Succeeded,
        /// The spec holds something only AWS or another object could tell is wrong.
        InvalidSpec,
        /// Another object of the Environment, or somebody else in AWS, has this name.
        NameConflict,
        /// The Environment does not admit this Kubernetes namespace.
        NamespaceNotAllowed,
        /// The rollout failed and ECS went back to the previous revision.
        RolledBack,
        /// The rollout failed and there was nothing to go back to.
        RolloutFailed,
        /// The rollout took longer than its deadline.
        ProgressDeadlineExceeded,
        /// The image does not exist for the architecture.
        ArchitectureMismatch,
        /// The first build failed.
        BuildFailed,
        /// No Environment of that name, or none named at all.
        EnvironmentNotFound,
        /// The Environment exists but is not Ready.
        EnvironmentNotReady,
        /// Something the spec refers to does not exist.
        ReferenceNotFound,
        /// A secret the spec refers to does not exist.
        SecretNotFound,
        /// The registry has no such image.
        ImageNotFound,
        /// AWS denied a call the operator needs.
        AccessDenied,
        /// The operator has no valid AWS credentials.
        CredentialsError,
        /// An AWS quota is used up.
        QuotaExceeded,
        /// AWS has no Fargate capacity of the kind asked for.
        CapacityUnavailable,
        /// A rollout is in progress.
        Deploying,
        /// ECS is going back to the previous revision.
        RollingBack,
        /// The image is being built.
        Building,
        /// A service of this name is still draining in AWS.
        Draining,
        /// Scaling is being set up.
        AutoscalingPending,
        /// AWS throttles; the operator goes on at the rate it is given.
        Throttled,
        /// The object is being deleted.
        Deleting,
        /// `paused` is set: no tasks run, as asked.
        Paused,
        /// `suspend` is set: the last Ready is kept.
        Suspended,
    }
}

/// How a reason behaves; the table in the API contract, as code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonClass {
    /// `Ready=True`.
    Healthy,
    /// `Ready=False`, `Stalled` at once: nothing gets better until somebody acts.
    Terminal,
    /// `Ready=False`, `Reconciling`; `Stalled` after ten minutes, still retried slowly.
    Patient,
    /// `Reconciling`, never `Stalled`.
    Progressing,
    /// The last `Ready` is kept.
    Held,
}

impl Reason {
    /// The class this reason belongs to.
    pub const fn class(self) -> ReasonClass {
        match self {
            Self::Succeeded | Self::Paused => ReasonClass::Healthy,
            Self::InvalidSpec
            | Self::NameConflict
            | Self::NamespaceNotAllowed
            | Self::RolledBack
            | Self::RolloutFailed
            | Self::ProgressDeadlineExceeded
            | Self::ArchitectureMismatch
            | Self::BuildFailed => ReasonClass::Terminal,
            Self::EnvironmentNotFound
            | Self::EnvironmentNotReady
            | Self::ReferenceNotFound
            | Self::SecretNotFound
            | Self::ImageNotFound
            | Self::AccessDenied
            | Self::CredentialsError
            | Self::QuotaExceeded
            | Self::CapacityUnavailable => ReasonClass::Patient,
            Self::Deploying
            | Self::RollingBack
            | Self::Building
            | Self::Draining
            | Self::AutoscalingPending
            | Self::Throttled
            | Self::Deleting => ReasonClass::Progressing,
            Self::Suspended => ReasonClass::Held,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_as_themselves() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
        }
        for kind in ConditionType::ALL {
            assert_eq!(ConditionType::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(Reason::parse("succeeded"), None);
    }
}
