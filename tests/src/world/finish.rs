//! What is true of every world at its end, whatever its test was about. Runs the request checker and reads what the witness saw.

use anyhow::{Context, Result, bail, ensure};
use aws_sim::Outcome;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};

use super::World;
use crate::calls::Calls;
use crate::command::{python_tool, repository, run};
use crate::planes;

impl World {
    /// Ends the operator and holds the whole run against what always has to be true: each object at each moment obeyed the rules of
    /// conditions, the operator wrote status and its finalizer only and asked the API server for nothing it has no right to, AWS knows every operation it was asked for, and every
    /// request fits AWS's own models. Then the control plane goes to the next test.
    ///
    /// # Errors
    /// All that is not true.
    pub async fn finish(mut self) -> Result<()> {
        self.no_secret_is_told().await?;
        if let Some(operator) = &mut self.operator {
            if let Some(code) = operator.exit_code()? {
                bail!("the operator ended with {code}:\n{}", operator.log_tail());
            }
            ensure!(
                !operator.log()?.contains("panicked at"),
                "{}",
                operator.log_tail()
            );
        }
        self.kill_operator();
        self.witness.stop();
        let violations = self.witness.violations();
        ensure!(
            violations.is_empty(),
            "rules were broken:\n{}",
            violations.join("\n")
        );
        ensure!(self.witness.versions() > 0, "no object was ever seen");

        let audited = self.audited()?;
        ensure!(
            !audited.is_empty(),
            "the API server heard nothing of the operator"
        );
        let refused: Vec<_> = audited
            .iter()
            .filter(|request| matches!(request.code, 401 | 403))
            .collect();
        ensure!(
            refused.is_empty(),
            "the chart's rights do not suffice: {refused:?}"
        );

        let calls = self.calls();
        let unknown = calls.0.iter().find(|request| {
            matches!(&request.outcome, Outcome::Error(code) if code == "NotImplementedBySimulator")
        });
        ensure!(
            unknown.is_none(),
            "an operation nobody simulates: {unknown:?}"
        );
        self.requests_fit_the_models(&calls).await?;

        self.clean_cluster().await?;
        if let Some(plane) = self.plane.take() {
            planes::give_back(plane);
        }
        Ok(())
    }

    /// That no value of a Secret is in the operator's log, Events or metrics, or in what it asked AWS for outside of Secrets Manager's own
    /// members for values. Objects are held against that by the witness.
    async fn no_secret_is_told(&self) -> Result<()> {
        let marked = self.witness.marked();
        if marked.is_empty() {
            return Ok(());
        }
        let mut written = Vec::new();
        if let Some(operator) = &self.operator {
            written.push(("the log", operator.log()?));
            written.push(("the metrics", operator.metrics().await?));
        }
        let events: Api<Event> = Api::all(self.client.clone());
        let events = events.list(&ListParams::default()).await?;
        written.push(("the Events", serde_json::to_string(&events.items)?));
        for request in &self.calls().0 {
            let text = format!("{} {:?}", request.body, request.outcome);
            written.push(("a request to AWS", text));
        }
        for (place, text) in &written {
            let found = marked.iter().any(|value| text.contains(value.as_str()));
            // Not the value itself, which would be one more place.
            ensure!(!found, "{place} holds a value of a Secret");
        }
        Ok(())
    }

    async fn requests_fit_the_models(&self, calls: &Calls) -> Result<()> {
        if calls.0.is_empty() {
            return Ok(());
        }
        let path = self.scratch.path().join("requests.jsonl");
        let lines: Vec<String> = calls
            .0
            .iter()
            .map(|request| record(request).to_string())
            .collect();
        std::fs::write(&path, lines.join("\n"))?;
        let mut check = tokio::process::Command::new(python_tool("python")?);
        check
            .arg(repository().join("tests/tools/validate_requests.py"))
            .arg(&path);
        run(check, "")
            .await?
            .ok()
            .context("requests do not fit AWS's models")?;
        Ok(())
    }
}

/// One request in the form the checker reads: without the two form fields that say what is asked rather than with what.
fn record(request: &aws_sim::Request) -> Value {
    let mut body = request.body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("Action");
        fields.remove("Version");
    }
    json!({"service": request.service, "operation": request.operation, "body": body})
}
