//! The size of a task, and the rules that keep it to the sizes Fargate has. Types only.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The size of a task. Cpu and memory go together in the pairs Fargate has.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(PAIR_RULE).message(Message::Expression(PAIR_MESSAGE.into())))]
pub struct Resources {
    /// Virtual CPUs, as a quantity: 250m (the default), 500m, 1, 2, 4, 8, 16 or 32. A fraction is
    /// text: write 500m, or "0.5" in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxLength" = 32))]
    #[x_kube(validation = Rule::new(CPU_RULE).message(Message::Expression(CPU_MESSAGE.into())))]
    pub cpu: Option<Quantity>,

    /// Memory, as a quantity; what is possible depends on cpu. Default 512Mi. 250m: 512Mi, 1Gi,
    /// 2Gi. 500m: 1Gi-4Gi. 1: 2Gi-8Gi. 2: 4Gi-16Gi. 4: 8Gi-30Gi, all in steps of 1Gi. 8: 16Gi-60Gi
    /// in steps of 4Gi. 16: 32Gi-120Gi in steps of 8Gi. 32: 60Gi, 120Gi or 244Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxLength" = 32))]
    #[x_kube(validation = Rule::new(MEMORY_RULE).message(Message::Expression(MEMORY_MESSAGE.into())))]
    pub memory: Option<Quantity>,

    /// Disk space that lives as long as the task, 20Gi (the default) to 200Gi, in whole Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxLength" = 32))]
    #[x_kube(validation = Rule::new(STORAGE_RULE).message(Message::Expression(STORAGE_MESSAGE.into())))]
    pub ephemeral_storage: Option<Quantity>,
}

// The rules compare quantities as floats: every size below is a small multiple of a power of two,
// which a float holds exactly. `isQuantity` comes first in each of them, because `&&` and `||`
// absorb the error of `quantity('abc')` and would let it through. The sizes are AWS's: ECS
// developer guide, Fargate task CPU and memory.

const CPU_RULE: &str = "isQuantity(string(self)) && quantity(string(self)).asApproximateFloat() in \
    [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0]";
const CPU_MESSAGE: &str = "'cpu ' + string(self) + ' is not a size Fargate has: write \"250m\", \
    \"500m\", \"1\", \"2\", \"4\", \"8\", \"16\" or \"32\"'";

const MEMORY_RULE: &str =
    "isQuantity(string(self)) && quantity(string(self)).asApproximateFloat() >= 536870912.0";
const MEMORY_MESSAGE: &str = "'memory ' + string(self) + ' is not an amount Fargate has: write \
    \"512Mi\", or whole Gi such as \"1Gi\"'";

const STORAGE_RULE: &str = "isQuantity(string(self)) && [quantity(string(self))\
    .asApproximateFloat() / 1073741824.0].all(gib, gib >= 20.0 && gib <= 200.0 && \
    double(int(gib)) == gib)";
const STORAGE_MESSAGE: &str = "'ephemeralStorage ' + string(self) + ' is not an amount Fargate \
    has: write whole Gi from \"20Gi\" to \"200Gi\"'";

/// Passes what the rules on the fields refuse already, so that one mistake gives one message.
const PAIR_RULE: &str = "[has(self.cpu) ? string(self.cpu) : '250m'].all(c, \
    [has(self.memory) ? string(self.memory) : '512Mi'].all(m, \
    !isQuantity(c) || !isQuantity(m) || [quantity(c).asApproximateFloat()].all(cpu, \
    [quantity(m).asApproximateFloat() / 1073741824.0].all(gib, gib < 0.5 || \
    (cpu == 0.25 ? gib in [0.5, 1.0, 2.0] : \
    cpu == 0.5 ? gib in [1.0, 2.0, 3.0, 4.0] : \
    cpu == 1.0 ? gib >= 2.0 && gib <= 8.0 && double(int(gib)) == gib : \
    cpu == 2.0 ? gib >= 4.0 && gib <= 16.0 && double(int(gib)) == gib : \
    cpu == 4.0 ? gib >= 8.0 && gib <= 30.0 && double(int(gib)) == gib : \
    cpu == 8.0 ? gib >= 16.0 && gib <= 60.0 && double(int(gib / 4.0) * 4) == gib : \
    cpu == 16.0 ? gib >= 32.0 && gib <= 120.0 && double(int(gib / 8.0) * 8) == gib : \
    cpu == 32.0 ? gib in [60.0, 120.0, 244.0] : true)))))";

/// Says what the cpu takes; where the user wrote memory alone, which cpu takes that.
const PAIR_MESSAGE: &str = "[has(self.cpu) ? string(self.cpu) : '250m'].map(c, \
    [has(self.memory) ? string(self.memory) : '512Mi'].map(m, \
    [quantity(c).asApproximateFloat()].map(cpu, \
    [quantity(m).asApproximateFloat() / 1073741824.0].map(gib, \
    !has(self.cpu) && gib > 2.0 && gib <= 30.0 && double(int(gib)) == gib ? \
    'memory ' + m + ' needs cpu: write cpu: \"' + (gib <= 4.0 ? '500m' : gib <= 8.0 ? '1' : \
    gib <= 16.0 ? '2' : '4') + '\" with it (cpu 250m, the default, takes 512Mi, 1Gi or 2Gi)' : \
    'cpu ' + c + (has(self.cpu) ? '' : ' (the default)') + ' does not go with memory ' + m + \
    (has(self.memory) ? '' : ' (the default)') + ': write memory ' + (\
    cpu == 0.25 ? '512Mi, 1Gi or 2Gi' : \
    cpu == 0.5 ? '1Gi, 2Gi, 3Gi or 4Gi' : \
    cpu == 1.0 ? '2Gi to 8Gi in steps of 1Gi' : \
    cpu == 2.0 ? '4Gi to 16Gi in steps of 1Gi' : \
    cpu == 4.0 ? '8Gi to 30Gi in steps of 1Gi' : \
    cpu == 8.0 ? '16Gi to 60Gi in steps of 4Gi' : \
    cpu == 16.0 ? '32Gi to 120Gi in steps of 8Gi' : \
    '60Gi, 120Gi or 244Gi') + (has(self.memory) ? ', or another cpu' : '')))))[0][0][0][0]";
