//! CloudFormation stacks in states that the stand-in behind never reaches. In: a call about a stack that is troubled. Out: the stand-in's
//! answer with the state and the cause put in, or an answer of its own. Pure but for what the caller forwards.
//!
//! Invariant: a stack without a trouble is answered by the stand-in alone.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::answer::Answer;
use crate::route::Call;

/// What is to become of a stack.
#[derive(Debug, Clone)]
pub struct StackTrouble {
    /// The state in which its next change, or for `DELETE_FAILED` every deletion, ends.
    pub status: String,
    /// It is in that state now, until its next change.
    pub already: bool,
    /// Name in the template of the resource that fails.
    pub resource: String,
    /// Type of that resource.
    pub kind: String,
    /// CloudFormation's words about it.
    pub reason: String,
}

#[derive(Debug)]
struct Troubled {
    trouble: StackTrouble,
    /// It has come to that.
    shown: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Stacks(BTreeMap<String, Troubled>);

impl Stacks {
    pub(crate) fn set(&mut self, name: &str, trouble: Option<StackTrouble>) {
        match trouble {
            Some(trouble) => {
                let shown = trouble.already;
                self.0.insert(name.to_owned(), Troubled { trouble, shown });
            }
            None => {
                self.0.remove(name);
            }
        }
    }

    /// An answer in place of the stand-in's: a deletion that comes to nothing.
    pub(crate) fn instead(&mut self, call: &Call) -> Option<Answer> {
        let troubled = self.of(call)?;
        match call.operation.as_str() {
            "DeleteStack" if troubled.trouble.status == "DELETE_FAILED" => {
                troubled.shown = true;
                let body = "<DeleteStackResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
                    <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId>\
                    </ResponseMetadata></DeleteStackResponse>";
                Some(Answer::new(200, "text/xml", body.as_bytes().to_vec()))
            }
            // Whatever was wrong before, the next change begins anew.
            "ExecuteChangeSet" | "DeleteStack" if troubled.shown => {
                let name = name(call)?;
                self.0.remove(&name);
                None
            }
            "ExecuteChangeSet" if troubled.trouble.status != "DELETE_FAILED" => {
                troubled.shown = true;
                None
            }
            _ => None,
        }
    }

    /// The stand-in's answer, with the state of the stack put in.
    pub(crate) fn mend(&mut self, call: &Call, mut answer: Answer) -> Answer {
        let Some(troubled) = self.of(call).filter(|troubled| troubled.shown) else {
            return answer;
        };
        let Ok(text) = std::str::from_utf8(&answer.body) else {
            return answer;
        };
        let trouble = &troubled.trouble;
        answer.body = match call.operation.as_str() {
            "DescribeStacks" => with_status(text, &trouble.status).into_bytes(),
            "DescribeStackEvents" => with_failure(text, trouble).into_bytes(),
            _ => return answer,
        };
        answer
    }

    fn of(&mut self, call: &Call) -> Option<&mut Troubled> {
        if call.service != "cloudformation" {
            return None;
        }
        self.0.get_mut(&name(call)?)
    }
}

/// The name of the stack that a call names by its name or its ARN.
fn name(call: &Call) -> Option<String> {
    let named = call.body["StackName"].as_str()?;
    let mut parts = named.split('/');
    let first = parts.next()?;
    Some(parts.next().unwrap_or(first).to_owned())
}

fn with_status(text: &str, status: &str) -> String {
    let Some((before, rest)) = text.split_once("<StackStatus>") else {
        return text.to_owned();
    };
    let Some((_, after)) = rest.split_once("</StackStatus>") else {
        return text.to_owned();
    };
    format!("{before}<StackStatus>{status}</StackStatus>{after}")
}

fn with_failure(text: &str, trouble: &StackTrouble) -> String {
    let Some((before, after)) = text.split_once("<StackEvents>") else {
        return text.to_owned();
    };
    let status = if trouble.status == "DELETE_FAILED" {
        "DELETE_FAILED"
    } else {
        "UPDATE_FAILED"
    };
    let StackTrouble {
        resource,
        kind,
        reason,
        ..
    } = trouble;
    let now = Timestamp::now();
    format!(
        "{before}<StackEvents><member><EventId>{resource}-{status}</EventId><LogicalResourceId>{resource}</LogicalResourceId>\
         <ResourceType>{kind}</ResourceType><ResourceStatus>{status}</ResourceStatus><ResourceStatusReason>{reason}\
         </ResourceStatusReason><Timestamp>{now}</Timestamp></member>{after}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_and_its_cause_are_put_in() {
        let text = "<a><StackStatus>CREATE_COMPLETE</StackStatus></a>";
        assert_eq!(
            with_status(text, "UPDATE_FAILED"),
            "<a><StackStatus>UPDATE_FAILED</StackStatus></a>"
        );
        let trouble = StackTrouble {
            status: "UPDATE_ROLLBACK_FAILED".into(),
            already: true,
            resource: "Cluster".into(),
            kind: "AWS::ECS::Cluster".into(),
            reason: "in use".into(),
        };
        let events = with_failure("<StackEvents></StackEvents>", &trouble);
        assert!(
            events.contains("<ResourceStatus>UPDATE_FAILED<"),
            "{events}"
        );
        assert!(events.ends_with("</member></StackEvents>"), "{events}");
    }
}
