package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// browsers are what plays in a page. The page is served here and reports here, so a browser needs no driver.
type browsers struct {
	files   string     // folder of the page
	dir     string     // of logs and profiles
	query   url.Values // for the page, besides what it always gets
	modules string     // folder of the npm packages, once they are installed
}

// browser is one that can be started with an address, headless.
type browser struct {
	version []string // what to run to know its version; fails when the browser is not installed
	program func(profile, address string) program
	screen  bool // it needs an X server
	prepare func(profile string) error
}

// player returns the player of that name in trial.js, whose script lies in an npm package, in a browser.
func (b *browsers) player(name, script, file string, open func() browser, p player) player {
	p.name = name
	p.version = func(ctx context.Context) (string, error) { return b.version(ctx, file, open()) }
	p.play = func(ctx context.Context, url string, r *recorder) error {
		return b.play(ctx, page{files: b.files, player: b.library(file), recorder: r}, open(), name, script, url)
	}
	return p
}

func (b *browsers) library(file string) string {
	if file == "" {
		return os.DevNull
	}
	return filepath.Join(b.modules, file)
}

func (b *browsers) version(ctx context.Context, file string, in browser) (string, error) {
	out, err := program{args: in.version}.output(ctx)
	if err != nil {
		return "", err
	}
	if file == "" {
		return word(out), nil
	}
	if err := b.install(ctx); err != nil {
		return "", err
	}
	name, _, _ := strings.Cut(file, "/")
	version, err := packageVersion(b.modules, name)
	return version + " in " + word(out), err
}

// install installs the npm packages, once.
func (b *browsers) install(ctx context.Context) error {
	if b.modules != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(b.files, "install.sh")).Output() //nolint:gosec // ours
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return fmt.Errorf("installing npm packages: %w: %s", err, failed.Stderr)
	}
	b.modules = filepath.Join(strings.TrimSpace(string(out)), "node_modules")
	return err
}

// play opens the page in the browser, until ctx ends.
func (b *browsers) play(ctx context.Context, p page, in browser, name, script, feed string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	query := url.Values{"player": {script}, "url": {feed}}
	maps.Copy(query, b.query)
	address := "http://" + listener.Addr().String() + "/?" + query.Encode()
	server := &http.Server{Handler: p.handler(), ReadHeaderTimeout: 5 * time.Second}
	return pipeline.Run(ctx,
		pipeline.Func("page", func(ctx context.Context) error {
			stop := context.AfterFunc(ctx, func() { _ = server.Close() })
			defer stop()
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}),
		pipeline.Func("browser", func(ctx context.Context) error { return b.browse(ctx, in, name, address) }),
	)
}

func (b *browsers) browse(ctx context.Context, in browser, name, address string) (err error) {
	profile, err := os.MkdirTemp("", "players-profile-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(profile)) }()
	if in.prepare != nil {
		if err := in.prepare(profile); err != nil {
			return err
		}
	}
	run := in.program(profile, address)
	run.name, run.dir = name, b.dir
	run.env = append(run.env, "HOME="+profile, "XDG_CACHE_HOME="+profile, "XDG_CONFIG_HOME="+profile, "XDG_DATA_HOME="+profile)
	if !in.screen {
		return run.run(ctx)
	}
	return onScreen(ctx, run, b.dir)
}

func (b *browsers) chromium() browser {
	return browser{version: []string{"chromium", "--version"}, program: func(profile, address string) program {
		return program{args: []string{
			"chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required", "--mute-audio",
			"--user-data-dir=" + profile, address,
		}}
	}}
}

func (b *browsers) firefox() browser {
	return browser{version: []string{"firefox-esr", "--version"}, prepare: firefoxProfile, program: func(profile, address string) program {
		return program{args: []string{"firefox-esr", "--headless", "--no-remote", "--profile", profile, address}}
	}}
}

// firefoxProfile lets Firefox play by itself, and do nothing else.
func firefoxProfile(profile string) error {
	var prefs strings.Builder
	for _, p := range []string{
		`"media.autoplay.default", 0`, `"browser.shell.checkDefaultBrowser", false`, `"app.update.enabled", false`,
		`"datareporting.policy.dataSubmissionEnabled", false`, `"toolkit.telemetry.enabled", false`,
		`"network.captive-portal-service.enabled", false`, `"network.connectivity-service.enabled", false`,
		`"browser.aboutwelcome.enabled", false`, `"browser.safebrowsing.update.enabled", false`, `"extensions.update.enabled", false`,
		`"app.normandy.enabled", false`, `"services.settings.server", "http://127.0.0.1:9/"`, `"media.gmp-manager.updateEnabled", false`,
	} {
		fmt.Fprintf(&prefs, "user_pref(%s);\n", p)
	}
	return os.WriteFile(filepath.Join(profile, "user.js"), []byte(prefs.String()), 0o600)
}

func (b *browsers) webkit() browser {
	// MiniBrowser has no version without an X server.
	version := []string{"dpkg-query", "-W", "-f=${Version}", "libwebkit2gtk-4.1-0"}
	return browser{version: version, screen: true, program: func(_, address string) program {
		return program{
			args: []string{miniBrowser(), "--autoplay-policy=allow", address},
			env:  []string{"WEBKIT_DISABLE_DMABUF_RENDERER=1", "LIBGL_ALWAYS_SOFTWARE=1", "NO_AT_BRIDGE=1", "GDK_BACKEND=x11"},
		}
	}}
}

// miniBrowser returns where Debian's WebKitGTK has it: outside the PATH, in a folder of its version.
func miniBrowser() string {
	found, _ := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser") // the pattern is well formed
	if len(found) == 0 {
		return "MiniBrowser"
	}
	return found[len(found)-1]
}

// onScreen runs a program on an X server of its own.
func onScreen(ctx context.Context, p program, dir string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close() // it is only read
	x := program{name: p.name + "-x", dir: dir, args: []string{
		"Xvfb", "-displayfd", "3", "-screen", "0", "1280x720x24", "-nolisten", "tcp",
	}, files: []*os.File{w}}
	server, err := x.start(ctx)
	_ = w.Close() // the server has its own
	if err != nil {
		return err
	}
	defer server.kill()
	var display int
	if _, err := fmt.Fscanln(r, &display); err != nil {
		return fmt.Errorf("the X server does not start, see %s: %w", server.log.Name(), err)
	}
	p.env = append(p.env, fmt.Sprintf("DISPLAY=:%d", display))
	return p.run(ctx)
}
