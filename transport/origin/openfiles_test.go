package origin_test

import (
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/transport/origin"
)

func keepingDisk(t *testing.T, bound int) (disk *origin.Disk, kept func() float64) {
	registry := prometheus.NewRegistry()
	count, err := origin.OpenFiles(registry)
	require.NoError(t, err)
	disk, err = origin.OpenDisk(t.TempDir(), origin.DiskOptions{KeepOpen: bound, Kept: count})
	require.NoError(t, err)
	return disk, func() float64 { return gauge(t, registry, "venuecast_origin_open_files") }
}

func readAll(t *testing.T, disk *origin.Disk, name string) string {
	file, err := disk.Open(name)
	require.NoError(t, err)
	data, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.Error(t, file.Close(), "once")
	return string(data)
}

func TestFilesAreKeptOpenWithinABound(t *testing.T) {
	disk, kept := keepingDisk(t, 2)
	before := openDescriptors(t)
	for i := range 4 {
		name := fmt.Sprintf("hall/%d.m4s", i)
		require.NoError(t, disk.Put(name, []byte(name)))
	}
	for _, i := range []int{0, 1, 0, 2, 3, 2, 2} {
		name := fmt.Sprintf("hall/%d.m4s", i)
		require.Equal(t, name, readAll(t, disk, name))
		require.LessOrEqual(t, kept(), 2.0)
	}
	require.Equal(t, before+2, openDescriptors(t))
	require.NoError(t, disk.Put("hall/2.m4s", []byte("another")))
	require.Equal(t, 1.0, kept())
	require.Equal(t, "another", readAll(t, disk, "hall/2.m4s"))
	require.NoError(t, disk.Remove("hall/2.m4s"))
	require.Equal(t, 1.0, kept())
	_, err := disk.Open("hall/2.m4s")
	require.Error(t, err)
	_, err = disk.Open("hall")
	require.Error(t, err, "a directory")
	require.NoError(t, disk.Close())
	require.Zero(t, kept())
	require.Equal(t, before, openDescriptors(t))
}

func TestReadersOfOneFileDoNotDisturbEachOther(t *testing.T) {
	disk, _ := keepingDisk(t, 2)
	defer disk.Close()
	require.NoError(t, disk.Put("1.m4s", []byte("0123456789")))
	one, err := disk.Open("1.m4s")
	require.NoError(t, err)
	another, err := disk.Open("1.m4s")
	require.NoError(t, err)
	require.NoError(t, disk.Remove("1.m4s"))

	_, err = one.Seek(4, io.SeekStart)
	require.NoError(t, err)
	size, err := another.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	require.EqualValues(t, 10, size)
	_, err = another.Seek(-11, io.SeekCurrent)
	require.Error(t, err)
	_, err = another.Seek(-1, io.SeekCurrent)
	require.NoError(t, err)
	require.NoError(t, one.Close())
	data, err := io.ReadAll(another)
	require.NoError(t, err)
	require.Equal(t, "9", string(data))
	require.NoError(t, another.Close())
}

// Files come and go while others read them: what is read is always whole, and nothing stays open.
func TestFilesComeAndGoWhileTheyAreRead(t *testing.T) {
	disk, kept := keepingDisk(t, 3)
	before := openDescriptors(t)
	var working sync.WaitGroup
	for n := range 8 {
		working.Go(func() {
			for i := range 200 {
				name := fmt.Sprintf("%d.m4s", (n+i)%5)
				switch n {
				case 0:
					_ = disk.Remove(name) // another may be writing it
				case 1:
					_ = disk.Put(name, []byte("whole"))
				default:
					file, err := disk.Open(name)
					if err != nil {
						continue // it is gone
					}
					if data, err := io.ReadAll(file); err != nil || string(data) != "whole" {
						t.Errorf("%s: %q, %v", name, data, err)
					}
					_ = file.Close()
				}
			}
		})
	}
	working.Wait()
	for i := range 5 {
		require.NoError(t, disk.Remove(fmt.Sprintf("%d.m4s", i)))
	}
	require.Zero(t, kept())
	require.Equal(t, before, openDescriptors(t), "of files that are gone")
	require.NoError(t, disk.Close())
}
