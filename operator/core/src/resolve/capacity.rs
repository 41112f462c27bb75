//! Which capacity and architecture tasks run on.

use crate::service::CapacityProvider;
use crate::task_definition::CpuArchitecture;
use privateservice_api::environment::EnvironmentType;
use privateservice_api::privateservice::{Architecture, Spot};

/// The capacity provider strategy, and the word for it in status. Always a strategy, never a launch type: going from one to the other
/// later forces a deployment.
pub(super) fn capacity(
    spot: Option<Spot>,
    kind: EnvironmentType,
) -> (Vec<CapacityProvider>, &'static str) {
    let on_spot = match spot.unwrap_or_default() {
        Spot::Never => false,
        Spot::Always => true,
        Spot::Flex => match kind {
            EnvironmentType::Development | EnvironmentType::Staging => true,
            EnvironmentType::Production => false,
        },
    };
    let name = if on_spot { "FARGATE_SPOT" } else { "FARGATE" };
    (
        vec![CapacityProvider {
            name: name.into(),
            weight: 1,
            base: 0,
        }],
        name,
    )
}

/// The architecture; x86 where none is named.
pub(super) fn architecture(architecture: Option<Architecture>) -> CpuArchitecture {
    match architecture.unwrap_or_default() {
        Architecture::X86 => CpuArchitecture::X86,
        Architecture::Arm => CpuArchitecture::Arm,
    }
}

/// An Environment's type as a word.
pub(super) const fn kind_word(kind: EnvironmentType) -> &'static str {
    match kind {
        EnvironmentType::Development => "development",
        EnvironmentType::Staging => "staging",
        EnvironmentType::Production => "production",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flex_is_on_in_development_and_staging_and_off_in_production() {
        let word = |kind| capacity(Some(Spot::Flex), kind).1;
        assert_eq!(word(EnvironmentType::Development), "FARGATE_SPOT");
        assert_eq!(word(EnvironmentType::Staging), "FARGATE_SPOT");
        assert_eq!(word(EnvironmentType::Production), "FARGATE");
    }

    #[test]
    fn nothing_said_is_on_demand() {
        assert_eq!(capacity(None, EnvironmentType::Development).1, "FARGATE");
    }
}
