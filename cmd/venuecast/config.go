package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/configs"
)

// configFlag adds -c to a command and returns what it will be set to.
func configFlag(cmd *cobra.Command) *string {
	file := cmd.Flags().StringP("config", "c", "", "configuration file (YAML)")
	_ = cmd.MarkFlagRequired("config")
	return file
}

// load reads the configuration for a role.
func load(file string, role configs.Role) (*configs.Config, error) {
	c, err := configs.Load(file, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return c, c.For(role)
}

// newLogger logs on standard error as the configuration says.
func newLogger(c configs.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

func newCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "check -c FILE",
		Short:   "Validate a configuration and print the grid that comes of it",
		Long:    "Check prints every mistake as FILE:LINE:COL with what would be right, or the segments and parts that each ladder will have.",
		Example: "  venuecast check -c venue.yaml",
		Args:    cobra.NoArgs,
	}
	file := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := configs.Load(*file, os.LookupEnv)
		if err != nil {
			return err
		}
		cmd.Print(configs.Explain(c))
		return nil
	}
	cmd.SetOut(os.Stdout)
	return cmd
}
