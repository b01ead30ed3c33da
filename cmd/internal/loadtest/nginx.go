package loadtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// nginxConfig serves files from memory's page cache, as Debian's package comes, but without a log, as the origin has none.
const nginxConfig = `pid %[1]s/nginx.pid;
error_log %[1]s/nginx.log;
worker_processes 1;
events { worker_connections 4096; }
http {
  sendfile on; tcp_nopush on; keepalive_timeout 65; keepalive_requests 1000000000; access_log off;
  types { video/mp4 m4s; }
  client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  server { listen %[2]s; location / { root %[3]s; } }
}
`

// Nginx is nginx, serving the files of a directory on one processor.
type Nginx struct {
	child   *exec.Cmd
	dir     string
	address string
}

// StartNginx starts nginx, which must be installed, on a processor as taskset(1) takes it; "" for any. Its files go to dir.
func StartNginx(ctx context.Context, dir, root, address, cpu string) (*Nginx, error) {
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConfig, dir, address, root), 0o600); err != nil {
		return nil, fmt.Errorf("configuring nginx: %w", err)
	}
	directives := "daemon off;"
	if os.Getuid() == 0 {
		directives += " user root;" // else its worker can not read the files
	}
	command := []string{"nginx", "-c", conf, "-e", filepath.Join(dir, "nginx.log"), "-g", directives}
	if cpu != "" {
		command = append([]string{"taskset", "-c", cpu}, command...)
	}
	n := &Nginx{child: exec.CommandContext(ctx, command[0], command[1:]...), dir: dir, address: address} //nolint:gosec // the words are ours
	n.child.Stderr = os.Stderr
	n.child.Cancel = func() error { return n.child.Process.Signal(os.Interrupt) }
	n.child.WaitDelay = 5 * time.Second
	if err := n.child.Start(); err != nil {
		return nil, fmt.Errorf("starting nginx (Debian: nginx-light): %w", err)
	}
	return n, nil
}

// Stage waits for it until the context ends.
func (n *Nginx) Stage() pipeline.Stage {
	return pipeline.Func("nginx", func(ctx context.Context) error {
		err := n.child.Wait()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("it ended: %w", err)
	})
}

// Worker returns the process that serves.
func (n *Nginx) Worker() (int, error) {
	pid := n.child.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, fmt.Errorf("looking for nginx's worker: %w", err)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(children)), " ")
	worker, err := strconv.Atoi(first)
	if err != nil {
		return 0, errors.New("nginx has no worker")
	}
	return worker, nil
}
