package origin_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

func openDisk(t *testing.T, dir string) *origin.Disk {
	disk, err := origin.OpenDisk(dir, origin.DiskOptions{Sync: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, disk.Close()) })
	return disk
}

func TestADiskKeepsWholeObjectsOnly(t *testing.T) {
	dir := t.TempDir()
	disk := openDisk(t, dir)
	require.NoError(t, disk.Put("hall/k/540p/1.m4s", []byte("one")))
	require.NoError(t, disk.Put("hall/k/540p/1.m4s", []byte("another")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hall/k/540p/2.m4s.aside"), []byte("ha"), 0o600))

	objects, err := disk.List("hall/")
	require.NoError(t, err)
	require.Equal(t, []live.Object{{Name: "hall/k/540p/1.m4s", Size: 7}}, objects)
	require.NoFileExists(t, filepath.Join(dir, "hall/k/540p/2.m4s.aside"))

	file, err := disk.Open("hall/k/540p/1.m4s")
	require.NoError(t, err)
	data, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.Equal(t, "another", string(data))

	require.NoError(t, disk.Remove("hall/k/540p/1.m4s"))
	require.NoError(t, disk.Remove("hall/k/540p/1.m4s"), "it is gone already")
	require.NoDirExists(t, filepath.Join(dir, "hall"))
	objects, err = disk.List("hall/")
	require.NoError(t, err)
	require.Empty(t, objects)
}

func TestADiskDoesNotLeaveItsDirectory(t *testing.T) {
	disk := openDisk(t, filepath.Join(t.TempDir(), "store"))
	require.Error(t, disk.Put("../outside", []byte("x")))
	_, err := disk.Open("../../etc/passwd")
	require.Error(t, err)
	require.Error(t, disk.Remove("../outside"))
}

func TestAnOriginGoesOnFromItsDisk(t *testing.T) {
	dir := t.TempDir()
	start := testFeed(startOfTest)
	for run := range int64(3) {
		feeds := live.New(live.Options{Store: openDisk(t, dir)})
		ctx, stop := context.WithCancel(t.Context())
		var background sync.WaitGroup
		background.Go(func() { _ = feeds.Run(ctx) })

		state, err := feeds.Claim(pipeline.Session{Feed: start, Epoch: uint64(run)})
		require.NoError(t, err)
		if run > 0 {
			require.Equal(t, pipeline.Position{MSN: firstMSN + 2*run}, state["540p"])
		}
		feed := feeds.Feed("hall")
		require.NoError(t, feed.PutInit(uint64(run), pipeline.Init{Rendition: "540p", Codecs: "avc1.64001F", Data: []byte("init")}))
		for msn := firstMSN + 2*run; msn < firstMSN+2*run+2; msn++ {
			for i := range 6 {
				require.NoError(t, feed.PutPart(uint64(run), pipeline.Part{
					Rendition: "540p", MSN: msn, Index: i,
					Duration: 28800, Timescale: 90000, Independent: i == 0, Data: []byte("part"),
				}))
			}
		}
		for msn := int64(firstMSN); msn < firstMSN+2*run+2; msn++ {
			media, err := feed.Rendition("540p").Snapshot().Segment(msn)
			require.NoError(t, err, "run %d segment %d", run, msn)
			require.NoError(t, media.Close())
		}
		stop()
		background.Wait() // what is finished is stored before it ends
	}
}

// Who removes the last object of a directory removes that, while another is about to write there: a feed that comes back.
func TestADirectoryThatIsRemovedMeanwhileIsMadeAgain(t *testing.T) {
	disk, err := origin.OpenDisk(t.TempDir(), origin.DiskOptions{})
	require.NoError(t, err)
	var both sync.WaitGroup
	for _, name := range []string{"hall/a/b/1.m4s", "hall/a/b/2.m4s"} {
		both.Go(func() {
			for range 300 {
				if err := errors.Join(disk.Put(name, []byte("x")), disk.Remove(name)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	both.Wait()
	require.NoError(t, disk.Close())
}
