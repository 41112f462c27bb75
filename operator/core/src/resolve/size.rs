//! The size of a task: quantities to CPU units, MiB and GiB, within the pairs Fargate offers.

use crate::defaults;
use crate::problem::Problem;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::Resources;

/// A task's size as ECS wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// CPU units.
    pub(super) cpu: u32,
    /// MiB.
    pub(super) memory: u32,
    /// GiB.
    pub(super) storage: u32,
}

/// The pairs Fargate offers on Linux: CPU units, and the memories in GiB as (from, to, step); 0.5 GiB is listed by itself.
/// Source: ECS developer guide, Fargate task definitions, task CPU and memory; 32 vCPU since platform version 1.4.0.
const PAIRS: [(u32, &[u32]); 8] = [
    (256, &[512, 1024, 2048]),
    (512, &[1024, 2048, 3072, 4096]),
    (1024, &[2048, 3072, 4096, 5120, 6144, 7168, 8192]),
    (
        2048,
        &[
            4096, 5120, 6144, 7168, 8192, 9216, 10240, 11264, 12288, 13312, 14336, 15360, 16384,
        ],
    ),
    (
        4096,
        &[
            8192, 9216, 10240, 11264, 12288, 13312, 14336, 15360, 16384, 17408, 18432, 19456,
            20480, 21504, 22528, 23552, 24576, 25600, 26624, 27648, 28672, 29696, 30720,
        ],
    ),
    (
        8192,
        &[
            16384, 20480, 24576, 28672, 32768, 36864, 40960, 45056, 49152, 53248, 57344, 61440,
        ],
    ),
    (
        16384,
        &[
            32768, 40960, 49152, 57344, 65536, 73728, 81920, 90112, 98304, 106_496, 114_688,
            122_880,
        ],
    ),
    (32768, &[61440, 122_880, 249_856]),
];

/// Resolves `resources`.
pub(super) fn size(resources: Option<&Resources>) -> Result<Size, Problem> {
    let empty = Resources::default();
    let resources = resources.unwrap_or(&empty);
    let cpu = match &resources.cpu {
        None => defaults::CPU_UNITS,
        Some(quantity) => cpu_units(quantity)?,
    };
    let memory = match &resources.memory {
        None => defaults::MEMORY_MIB,
        Some(quantity) => whole(quantity, MIB, "memory", "512Mi")?,
    };
    let storage = match &resources.ephemeral_storage {
        None => defaults::EPHEMERAL_STORAGE_GIB,
        Some(quantity) => whole(quantity, GIB, "ephemeralStorage", "20Gi")?,
    };
    let Some((_, memories)) = PAIRS.iter().find(|(units, _)| *units == cpu) else {
        return Err(invalid(
            "resources.cpu: write one of 250m, 500m, 1, 2, 4, 8, 16, 32",
        ));
    };
    if !memories.contains(&memory) {
        let offered: Vec<String> = memories.iter().map(|mib| in_words(*mib)).collect();
        return Err(invalid(&format!(
            "resources: Fargate does not offer {} of memory with this cpu; write one of {}",
            in_words(memory),
            offered.join(", ")
        )));
    }
    if !(20..=200).contains(&storage) {
        return Err(invalid("resources.ephemeralStorage: write 20Gi to 200Gi"));
    }
    Ok(Size {
        cpu,
        memory,
        storage,
    })
}

const MIB: f64 = 1024.0 * 1024.0;
const GIB: f64 = 1024.0 * MIB;

fn invalid(message: &str) -> Problem {
    Problem::new(Reason::InvalidSpec, message)
}

fn in_words(mib: u32) -> String {
    if mib.is_multiple_of(1024) {
        format!("{}Gi", mib / 1024)
    } else {
        format!("{mib}Mi")
    }
}

/// 250m is a quarter of a vCPU, which ECS calls 256 units.
fn cpu_units(quantity: &Quantity) -> Result<u32, Problem> {
    let vcpus = parse(quantity)
        .ok_or_else(|| invalid("resources.cpu: write one of 250m, 500m, 1, 2, 4, 8, 16, 32"))?;
    whole_number(vcpus * 1024.0)
        .ok_or_else(|| invalid("resources.cpu: write one of 250m, 500m, 1, 2, 4, 8, 16, 32"))
}

fn whole(quantity: &Quantity, unit: f64, field: &str, example: &str) -> Result<u32, Problem> {
    parse(quantity)
        .and_then(|bytes| whole_number(bytes / unit))
        .ok_or_else(|| {
            invalid(&format!(
                "resources.{field}: write a quantity in whole units, such as {example}"
            ))
        })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is whole and within the range of u32 where it is cast"
)]
fn whole_number(value: f64) -> Option<u32> {
    (value.fract() == 0.0 && value >= 0.0 && value <= f64::from(u32::MAX)).then_some(value as u32)
}

/// The number a Kubernetes quantity stands for.
fn parse(quantity: &Quantity) -> Option<f64> {
    let text = quantity.0.trim();
    let split = text
        .find(|character: char| !matches!(character, '0'..='9' | '.' | '+' | '-'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let factor = match suffix {
        "" => 1.0,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => MIB,
        "Gi" => GIB,
        "Ti" => 1024.0 * GIB,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cpu: &str, memory: &str) -> Result<Size, Problem> {
        size(Some(&Resources {
            cpu: Some(Quantity(cpu.into())),
            memory: Some(Quantity(memory.into())),
            ephemeral_storage: None,
        }))
    }

    #[test]
    fn absent_resources_are_a_quarter_vcpu_and_half_a_gibibyte() {
        assert_eq!(
            size(None).unwrap(),
            Size {
                cpu: 256,
                memory: 512,
                storage: 20
            }
        );
    }

    #[test]
    fn equal_quantities_are_equal_sizes_however_written() {
        assert_eq!(of("250m", "512Mi").unwrap(), of("0.25", "0.5Gi").unwrap());
        assert_eq!(of("1", "2Gi").unwrap(), of("1000m", "2048Mi").unwrap());
        assert_eq!(of("32", "244Gi").unwrap().cpu, 32768);
    }

    #[test]
    fn a_pair_fargate_lacks_is_refused_with_those_it_has() {
        let problem = of("250m", "4Gi").unwrap_err();
        assert_eq!(problem.reason, Reason::InvalidSpec);
        assert!(
            problem.message.contains("512Mi, 1Gi, 2Gi"),
            "{}",
            problem.message
        );
    }

    #[test]
    fn what_is_no_size_is_refused_with_the_sizes() {
        for cpu in ["abc", "300m", "3"] {
            assert!(
                of(cpu, "512Mi")
                    .unwrap_err()
                    .message
                    .contains("250m, 500m, 1")
            );
        }
        assert!(of("250m", "512Xi").is_err());
    }
}
