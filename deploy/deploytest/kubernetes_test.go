package deploytest

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// A manifest holds the documents of kubernetes.yaml, one of each kind.
type manifest struct {
	deployment appsv1.Deployment
	service    corev1.Service
	autoscaler autoscalingv2.HorizontalPodAutoscaler
	budget     policyv1.PodDisruptionBudget
	network    networkingv1.NetworkPolicy
}

// readManifest decodes every document, and fails on a field that its type does
// not have, on a kind that it does not know, and on a kind that is missing or
// duplicated.
func readManifest(t *testing.T) *manifest {
	t.Helper()
	text, err := os.ReadFile("../kubernetes.yaml")
	require.NoError(t, err)
	m := &manifest{}
	missing := map[metav1.TypeMeta]any{
		{APIVersion: "apps/v1", Kind: "Deployment"}:                     &m.deployment,
		{APIVersion: "v1", Kind: "Service"}:                             &m.service,
		{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"}: &m.autoscaler,
		{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"}:          &m.budget,
		{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"}:     &m.network,
	}
	for _, document := range strings.Split(string(text), "\n---\n") {
		var kind metav1.TypeMeta
		require.NoError(t, yaml.Unmarshal([]byte(document), &kind))
		require.Contains(t, missing, kind)
		require.NoError(t, yaml.UnmarshalStrict([]byte(document), missing[kind]), kind.Kind)
		delete(missing, kind)
	}
	require.Empty(t, missing)
	return m
}

// container returns the one container of the Deployment.
func (m *manifest) container(t *testing.T) corev1.Container {
	t.Helper()
	require.Len(t, m.deployment.Spec.Template.Spec.Containers, 1)
	return m.deployment.Spec.Template.Spec.Containers[0]
}

// flag returns the value of a flag of the container.
func (m *manifest) flag(t *testing.T, name string) string {
	t.Helper()
	for _, arg := range m.container(t).Args {
		if value, ok := strings.CutPrefix(arg, name+"="); ok {
			return value
		}
	}
	require.Fail(t, "the container has no "+name)
	return ""
}

func TestKubernetesFlagsAndVariablesAreThoseOfTheProgram(t *testing.T) {
	t.Parallel()
	container := readManifest(t).container(t)
	flags, variables := help(t)
	for _, arg := range container.Args {
		name, _, hasValue := strings.Cut(arg, "=")
		require.True(t, hasValue, "%s is written as NAME=VALUE", arg)
		require.Contains(t, flags, name)
	}
	for _, env := range container.Env {
		require.Contains(t, variables, env.Name)
	}
}

func TestKubernetesPortsAreThoseOfTheFlags(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	ports := map[string]int32{}
	for _, port := range m.container(t).Ports {
		ports[port.Name] = port.ContainerPort
	}
	for name, flag := range map[string]string{"http": "--http", "metrics": "--metrics"} {
		host, port, err := net.SplitHostPort(m.flag(t, flag))
		require.NoError(t, err)
		require.Equal(t, "0.0.0.0", host, "pods are reached by their address")
		require.Equal(t, port, strconv.Itoa(int(ports[name])), name)
	}
	require.Len(t, ports, 2)
	require.Equal(t, intstr.FromString("http"), m.service.Spec.Ports[0].TargetPort)
	for i, rule := range m.network.Spec.Ingress {
		require.Equal(t, intstr.FromString([]string{"http", "metrics"}[i]), *rule.Ports[0].Port)
	}
}

// The program starts with the arguments and variables of the container, other
// addresses aside, and answers the probes.
func TestKubernetesProbesAreAnswered(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	container := m.container(t)
	tokens := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(tokens, []byte("a-token-of-the-test"), 0o400))
	env := []string{"TWILIO_API_KEY=SK00000000000000000000000000000000", "TWILIO_API_SECRET=no-secret", "MCP_REDIS_URL=redis://:no-secret@127.0.0.1:1", "MCP_AUTH_TOKEN_FILE=" + tokens}
	require.Len(t, container.Env, len(env))
	var args []string
	for _, arg := range container.Args {
		args = append(args, regexp.MustCompile(`0\.0\.0\.0:\d+$`).ReplaceAllString(arg, "127.0.0.1:0"))
	}
	url := start(t, env, args...)
	for _, probe := range []*corev1.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
		require.Equal(t, intstr.FromString("http"), probe.HTTPGet.Port)
		answer, err := http.Get(url + probe.HTTPGet.Path)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode, probe.HTTPGet.Path)
	}
	require.Equal(t, "/readyz", container.ReadinessProbe.HTTPGet.Path)
}

func TestKubernetesWaitsForDrainAndGrace(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	drain, err := time.ParseDuration(m.flag(t, "--drain"))
	require.NoError(t, err)
	grace, err := time.ParseDuration(m.flag(t, "--grace"))
	require.NoError(t, err)
	require.Greater(t, time.Duration(*m.deployment.Spec.Template.Spec.TerminationGracePeriodSeconds)*time.Second, drain+grace)
}

func TestKubernetesSelectorsMatchThePods(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	labels := m.deployment.Spec.Template.Labels
	require.NotEmpty(t, labels)
	require.Equal(t, labels, m.deployment.Spec.Selector.MatchLabels)
	require.Equal(t, labels, m.service.Spec.Selector)
	require.Equal(t, labels, m.budget.Spec.Selector.MatchLabels)
	require.Equal(t, labels, m.network.Spec.PodSelector.MatchLabels)
	target := m.autoscaler.Spec.ScaleTargetRef
	require.Equal(t, m.deployment.TypeMeta, metav1.TypeMeta{APIVersion: target.APIVersion, Kind: target.Kind})
	require.Equal(t, m.deployment.Name, target.Name)
}

func TestKubernetesPodsHaveNoPrivileges(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	pod, container := m.deployment.Spec.Template.Spec, m.container(t)
	require.True(t, *pod.SecurityContext.RunAsNonRoot)
	require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type)
	require.False(t, *pod.AutomountServiceAccountToken)
	require.True(t, *container.SecurityContext.ReadOnlyRootFilesystem)
	require.False(t, *container.SecurityContext.AllowPrivilegeEscalation)
	require.Equal(t, []corev1.Capability{"ALL"}, container.SecurityContext.Capabilities.Drop)
	require.Equal(t, int32(0o440), *pod.Volumes[0].Secret.DefaultMode)

	image, err := os.ReadFile("../Dockerfile")
	require.NoError(t, err)
	require.Contains(t, string(image), "\nUSER "+strconv.FormatInt(*pod.SecurityContext.RunAsUser, 10)+":")
}

// Secrets are referred to, never written into the file.
func TestKubernetesHoldsNoSecret(t *testing.T) {
	t.Parallel()
	for _, env := range readManifest(t).container(t).Env {
		if env.Name != "MCP_AUTH_TOKEN_FILE" {
			require.Empty(t, env.Value, env.Name)
			require.NotNil(t, env.ValueFrom.SecretKeyRef, env.Name)
		}
	}
}
