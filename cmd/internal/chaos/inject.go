//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

func nothing(context.Context, *experiment) error { return nil }

const (
	// away is how long what was killed stays away when nobody stands by.
	away = 2 * time.Second
	// replaced is when what was killed is started again after a standby has taken over, to be the next standby.
	replaced = 6 * time.Second
	// frozen is how long a process is stopped.
	frozen = 10 * time.Second
)

// signalChild sends a signal to the process that transcodes.
func (e *experiment) signalChild(s syscall.Signal) error {
	who := owner(e.site.workers)
	pid, err := who.child()
	if err != nil {
		return err
	}
	e.note("%v to the child of %s", s, who.name)
	return syscall.Kill(pid, s)
}

func killChild(_ context.Context, e *experiment) error { return e.signalChild(syscall.SIGKILL) }

// freezeChild stops the child for good: the worker has to notice.
func freezeChild(_ context.Context, e *experiment) error { return e.signalChild(syscall.SIGSTOP) }

// killWorker kills a worker and its child together, as a machine dies.
func killWorker(ctx context.Context, e *experiment) error {
	who := owner(e.site.workers)
	pid, err := who.child()
	if err != nil {
		return err
	}
	e.note("SIGKILL to %s and its child", who.name)
	if err := errors.Join(who.signal(syscall.SIGKILL), syscall.Kill(pid, syscall.SIGKILL)); err != nil {
		return err
	}
	return e.replace(ctx, who)
}

func freezeWorker(ctx context.Context, e *experiment) error {
	who := owner(e.site.workers)
	pid, err := who.child()
	if err != nil {
		return err
	}
	e.note("SIGSTOP to %s and its child", who.name)
	if err := errors.Join(who.signal(syscall.SIGSTOP), syscall.Kill(pid, syscall.SIGSTOP)); err != nil {
		return err
	}
	if err := pipeline.Sleep(ctx, frozen); err != nil {
		return err
	}
	e.note("SIGCONT to both")
	return errors.Join(who.signal(syscall.SIGCONT), syscall.Kill(pid, syscall.SIGCONT))
}

func drainWorker(ctx context.Context, e *experiment) error {
	return e.drain(ctx, owner(e.site.workers))
}

func drainIngest(ctx context.Context, e *experiment) error {
	return e.drain(ctx, owner(e.site.ingests))
}

// drain tells a program to end: it must do so within 5 s and with status 0.
func (e *experiment) drain(ctx context.Context, who *program) error {
	e.note("SIGTERM to %s", who.name)
	if err := who.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-who.ended:
	case <-time.After(5 * time.Second):
		return fmt.Errorf("%s has not ended 5 s after SIGTERM", who.name)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if code := who.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s ended with status %d after SIGTERM", who.name, code)
	}
	e.note("%s has ended", who.name)
	return e.replace(ctx, who)
}

func killIngest(ctx context.Context, e *experiment) error {
	who := owner(e.site.ingests)
	e.note("SIGKILL to %s", who.name)
	if err := who.signal(syscall.SIGKILL); err != nil {
		return err
	}
	return e.replace(ctx, who)
}

func freezeIngest(ctx context.Context, e *experiment) error {
	who := owner(e.site.ingests)
	e.note("SIGSTOP to %s", who.name)
	if err := who.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if err := pipeline.Sleep(ctx, frozen); err != nil {
		return err
	}
	e.note("SIGCONT to %s", who.name)
	return who.signal(syscall.SIGCONT)
}

// replace starts a program again when its standby has had time to take over.
func (e *experiment) replace(ctx context.Context, p *program) error {
	if err := pipeline.Sleep(ctx, replaced); err != nil {
		return err
	}
	return e.again(ctx, p)
}

// again starts a program that has ended.
func (e *experiment) again(ctx context.Context, p *program) error {
	if err := e.site.restart(p); err != nil {
		return err
	}
	e.note("%s is started again", p.name)
	return p.await(ctx)
}

// killFor kills a program that has no standby, and starts it again.
func (e *experiment) killFor(ctx context.Context, p *program) error {
	e.note("SIGKILL to %s", p.name)
	if err := p.kill(); err != nil {
		return err
	}
	if err := pipeline.Sleep(ctx, away); err != nil {
		return err
	}
	return e.again(ctx, p)
}

func killOrigin(ctx context.Context, e *experiment) error { return e.killFor(ctx, e.site.origin) }

func killNATS(ctx context.Context, e *experiment) error { return e.killFor(ctx, e.site.nats[0]) }

func killLeader(ctx context.Context, e *experiment) error {
	who, err := e.site.leader(ctx)
	if err != nil {
		return err
	}
	e.note("SIGKILL to %s, which leads", who.name)
	if err := who.kill(); err != nil {
		return err
	}
	// It stays away until the others have long chosen another.
	if err := pipeline.Sleep(ctx, 10*time.Second); err != nil {
		return err
	}
	return e.again(ctx, who)
}

// fillDisk takes the origin's room away for two segments and more.
func fillDisk(ctx context.Context, e *experiment) error {
	if err := e.site.disk.fill(); err != nil {
		return err
	}
	e.note("the origin's disk is full")
	if err := pipeline.Sleep(ctx, 3*segment); err != nil {
		return err
	}
	e.note("it has room again")
	return e.site.disk.free()
}

// cut cuts the wire to the camera for a time.
func cut(d time.Duration) func(context.Context, *experiment) error {
	return func(ctx context.Context, e *experiment) error {
		e.note("the wire is cut")
		e.site.wire.cut()
		err := pipeline.Sleep(ctx, d)
		e.site.wire.mend()
		e.back = time.Now()
		e.note("the wire is mended")
		return err
	}
}

func rebootCamera(ctx context.Context, e *experiment) error {
	return e.exchange(ctx, cameraOptions{size: "640x360", clockFromZero: true})
}

// replaceCamera puts another camera in the place of the first, each time of another resolution.
func replaceCamera(ctx context.Context, e *experiment) error {
	return e.exchange(ctx, cameraOptions{size: []string{"640x360", "1280x720"}[e.run%2]})
}

func (e *experiment) exchange(_ context.Context, o cameraOptions) error {
	e.note("SIGKILL to the camera")
	if err := e.site.camera.kill(); err != nil {
		return err
	}
	e.site.camera.group.Wait()
	if err := e.site.startCamera(o); err != nil {
		return err
	}
	e.back = time.Now()
	e.note("the camera is back: %+v", o)
	return nil
}

// two kills a worker together with an ingest, the origin, NATS, or the wire to the camera.
func two(ctx context.Context, e *experiment) error {
	others := []func(context.Context, *experiment) error{killIngest, killOrigin, killNATS, cut(time.Second)}
	worker := owner(e.site.workers)
	pid, err := worker.child()
	if err != nil {
		return err
	}
	e.note("SIGKILL to %s and its child", worker.name)
	if err := errors.Join(worker.signal(syscall.SIGKILL), syscall.Kill(pid, syscall.SIGKILL)); err != nil {
		return err
	}
	if err := others[e.random.IntN(len(others))](ctx, e); err != nil {
		return err
	}
	e.back = time.Time{} // the worker's absence is in it
	return e.again(ctx, worker)
}
