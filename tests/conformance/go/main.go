// Command checklog checks a published log with Go's sumdb packages and none of our code.
//
//	checklog FOLDER VKEY [OLD-NOTE]
//
// It opens the checkpoint with sumdb/note, proves every entry to be in the log and, given an
// older signed note, that the log continues it, with sumdb/tlog over the hash tiles.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height, width = 8, 256

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: checklog FOLDER VKEY [OLD-NOTE]")
	}
	verifier, err := note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	tree, err := open(filepath.Join(args[0], "checkpoint"), verifier)
	if err != nil {
		return err
	}
	fmt.Println("checkpoint", tree.N, tree.Hash)
	reader := tlog.TileHashReader(tree, &tiles{args[0]})
	if root, err := tlog.TreeHash(tree.N, reader); err != nil || root != tree.Hash {
		return fmt.Errorf("the tiles have the root %v: %v", root, err)
	}
	for index := int64(0); index < tree.N; index++ {
		entry, err := readEntry(args[0], tree.N, index)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d: %v", index, err)
		}
	}
	fmt.Println("included", tree.N)
	if len(args) < 3 {
		return nil
	}
	old, err := open(args[2], verifier)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("from %d entries: %v", old.N, err)
	}
	fmt.Println("consistent", old.N, tree.N)
	return nil
}

// open reads a signed note and the origin, size and root it commits to.
func open(path string, verifier note.Verifier) (tree tlog.Tree, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tree, errors.New("not a checkpoint of that log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || copy(tree.Hash[:], root) != tlog.HashSize || len(root) != tlog.HashSize {
		return tree, errors.New("the root hash is malformed")
	}
	return tree, nil
}

// tiles reads hash tiles where tlog-tiles puts them: below tile/, not tile/8/ as in sumdb.
type tiles struct{ folder string }

func (t *tiles) Height() int { return height }

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		name := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		data, err := read(filepath.Join(t.folder, "tile"), name)
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func readEntry(folder string, size, index int64) ([]byte, error) {
	tile := tlog.Tile{H: height, L: 0, N: index / width, W: width}
	if rest := size - tile.N*width; rest < width {
		tile.W = int(rest)
	}
	name := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/0/", height))
	data, err := read(filepath.Join(folder, "tile", "entries"), name)
	if err != nil {
		return nil, err
	}
	for place := index % width; ; place-- {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("the bundle of entry %d is cut short", index)
		}
		length := 2 + int(binary.BigEndian.Uint16(data))
		if place == 0 {
			return data[2:length], nil
		}
		data = data[length:]
	}
}

// read returns a resource, or of the full one that a partial one has become, its beginning.
func read(folder, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if whole := strings.Index(name, ".p/"); errors.Is(err, fs.ErrNotExist) && whole >= 0 {
		return os.ReadFile(filepath.Join(folder, name[:whole]))
	}
	return data, err
}
