<?php

/** What the stand-in for WordPress keeps: files in one folder, shared by all of its processes, as a database is. */

declare(strict_types=1);

final class Store
{
    public static function folder(): string
    {
        return getenv('WOO_FOLDER') ?: throw new LogicException('WOO_FOLDER names where to keep everything');
    }

    public static function read(string $name, mixed $otherwise = null): mixed
    {
        $file = self::folder() . "/$name.json";
        return is_file($file) ? json_decode((string) file_get_contents($file), true) : $otherwise;
    }

    public static function write(string $name, mixed $value): void
    {
        $new = self::folder() . "/$name." . getmypid() . '.new'; // another process may write it as well just now
        file_put_contents($new, json_encode($value, JSON_THROW_ON_ERROR));
        rename($new, self::folder() . "/$name.json");
    }

    public static function forget(string $name): void
    {
        @unlink(self::folder() . "/$name.json");
    }

    /** One line more; nobody's line is lost, and none written over. */
    public static function append(string $name, string $line): void
    {
        file_put_contents(self::folder() . "/$name.log", str_replace("\n", ' ', $line) . "\n", FILE_APPEND | LOCK_EX);
    }

    /** @return list<string> */
    public static function lines(string $name): array
    {
        $file = self::folder() . "/$name.log";
        return is_file($file) ? file($file, FILE_IGNORE_NEW_LINES) : [];
    }

    /** Changes a number by so much, alone. */
    public static function count(string $name, int $by): int
    {
        $file = fopen(self::folder() . "/$name.count", 'c+');
        flock($file, LOCK_EX);
        $now = (int) stream_get_contents($file) + $by;
        rewind($file);
        ftruncate($file, 0);
        fwrite($file, (string) $now);
        fclose($file);
        return $now;
    }
}
