{{- /* Names and labels that more than one template needs. */ -}}

{{- define "privateservice-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- /* A release that is named after the chart does not say it twice. 52 characters leave room for the longest ending, "-metrics". */ -}}
{{- define "privateservice-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "privateservice-operator.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Cluster-scoped objects of two releases of the same name in two namespaces are two. */ -}}
{{- define "privateservice-operator.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "privateservice-operator.fullname" .) -}}
{{- end -}}

{{- define "privateservice-operator.selector" -}}
app.kubernetes.io/name: {{ include "privateservice-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "privateservice-operator.labels" -}}
{{ include "privateservice-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "privateservice-operator.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "privateservice-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "privateservice-operator.leaseName" -}}
{{- default (include "privateservice-operator.fullname" .) .Values.leaderElection.leaseName -}}
{{- end -}}

{{- define "privateservice-operator.leaseNamespace" -}}
{{- default .Release.Namespace .Values.leaderElection.leaseNamespace -}}
{{- end -}}

{{- define "privateservice-operator.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "privateservice-operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "privateservice-operator.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
