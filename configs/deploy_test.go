package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// service is what a test wants to know of one service of compose.yaml.
type service struct {
	Image       string            `yaml:"image"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
}

// config loads the venue's configuration with the service's environment.
func (s service) config(t *testing.T) *Config {
	t.Helper()
	c, err := Load("deploy/venue.yaml", func(name string) (string, bool) {
		value, there := s.Environment[name]
		return value, there
	})
	require.NoError(t, err)
	return c
}

func composed(t *testing.T) map[string]service {
	t.Helper()
	text, err := os.ReadFile("deploy/compose.yaml")
	require.NoError(t, err)
	var file struct {
		Services map[string]service `yaml:"services"`
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	return file.Services
}

func TestEachRoleOfTheDeployedVenueStartsWithWhatItsServiceGivesIt(t *testing.T) {
	roles := map[Role]int{}
	for name, s := range composed(t) {
		if s.Image != "venuecast" {
			continue
		}
		role := Role(s.Command[0])
		roles[role]++
		c := s.config(t)
		require.NoError(t, c.For(role), name)
		require.Equal(t, s.Environment["NODE"], c.Worker.Name)
		require.Equal(t, "/etc/venuecast/venue.yaml", s.Command[2])
	}
	require.Equal(t, map[Role]int{Ingest: 2, Transcode: 2, Publish: 1}, roles)
}

func TestFilesThatServicesMountAreThere(t *testing.T) {
	for name, s := range composed(t) {
		for _, v := range s.Volumes {
			from, to, _ := strings.Cut(v, ":")
			if !strings.HasPrefix(from, ".") {
				continue
			}
			require.FileExists(t, filepath.Join("deploy", from), "%s mounts it as %s", name, to)
		}
	}
}

func TestServersOfTheBusAreThoseThatTheVenueNames(t *testing.T) {
	text, err := os.ReadFile("deploy/nats.conf")
	require.NoError(t, err)
	services := composed(t)
	c := services["ingest-1"].config(t)
	for _, name := range []string{"venue-1", "venue-2", "venue-3"} {
		require.Contains(t, string(text), "nats://"+name+":6222")
		require.Contains(t, c.NATS.URL.Reveal(), "@"+name+":4222")
		require.Equal(t, name, services[name].Environment["NATS_NAME"])
		require.True(t, slices.Contains(services[name].Volumes, "./nats.conf:/etc/nats/nats.conf:ro"))
	}
	require.Equal(t, 3, c.NATS.Replicas)
}
