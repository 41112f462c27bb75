{{- /* What the operator may do in a Kubernetes namespace whose PrivateServices it manages: in all of them by the ClusterRole, or in those of
       watchNamespaces by a Role each. One reason per rule. */ -}}
{{- define "privateservice-operator.serviceRules" -}}
# watch.rs keeps a cache of them: list, watch. finalizer.rs adds and removes the one finalizer: patch. It writes nothing else of them.
- apiGroups: [flexstack.dev]
  resources: [privateservices]
  verbs: [list, watch, patch]
# status.rs applies the status, and nothing but the status.
- apiGroups: [flexstack.dev]
  resources: [privateservices/status]
  verbs: [patch]
# referenced.rs watches the metadata of ConfigMaps, and reads those that PrivateServices refer to.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
{{- if .Values.kubernetesSecrets.enabled }}
# referenced.rs watches the metadata of Secrets, and reads those that PrivateServices refer to, to copy their values to Secrets Manager.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
{{- end }}
{{ include "privateservice-operator.eventRules" . }}
{{- end -}}

{{- define "privateservice-operator.eventRules" -}}
# events.rs tells of transitions: create; one that repeats within minutes is counted in the Event that is there: patch.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
