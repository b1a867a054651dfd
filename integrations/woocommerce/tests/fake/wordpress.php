<?php

/**
 * A stand-in for WordPress: the functions that the plugin calls, behaving as WordPress documents them. None of its code is
 * WordPress's.
 */

declare(strict_types=1);

const DAY_IN_SECONDS = 86400;
const HOUR_IN_SECONDS = 3600;
const DB_NAME = 'shop';
define('ABSPATH', __DIR__ . '/');

/** @var array<string, array<int, list<array{callable, int}>>> */
$hooks = [];

function add_filter(string $hook, callable $callback, int $priority = 10, int $arguments = 1): bool
{
    global $hooks;
    $hooks[$hook][$priority][] = [$callback, $arguments];
    return true;
}

function add_action(string $hook, callable $callback, int $priority = 10, int $arguments = 1): bool
{
    return add_filter($hook, $callback, $priority, $arguments);
}

function apply_filters(string $hook, mixed $value, mixed ...$more): mixed
{
    global $hooks;
    $found = $hooks[$hook] ?? [];
    ksort($found);
    foreach (array_merge(...$found) as [$callback, $arguments]) {
        $value = $callback(...array_slice([$value, ...$more], 0, $arguments));
    }
    return $value;
}

function do_action(string $hook, mixed ...$values): void
{
    global $hooks;
    $found = $hooks[$hook] ?? [];
    ksort($found);
    foreach (array_merge(...$found) as [$callback, $arguments]) {
        $callback(...array_slice($values, 0, $arguments));
    }
}

function register_activation_hook(string $file, callable $callback): void
{
    add_action('activate', $callback);
}

function register_deactivation_hook(string $file, callable $callback): void
{
    add_action('deactivate', $callback);
}

function get_option(string $name, mixed $otherwise = false): mixed
{
    return Store::read("option-$name", $otherwise);
}

function update_option(string $name, mixed $value, mixed $autoload = null): bool
{
    Store::write("option-$name", $value);
    return true;
}

function delete_option(string $name): bool
{
    Store::forget("option-$name");
    return true;
}

function wp_next_scheduled(string $hook): int|false
{
    return Store::read("cron-$hook", false);
}

function wp_schedule_event(int $at, string $recurrence, string $hook): bool
{
    Store::write("cron-$hook", $at);
    return true;
}

function wp_clear_scheduled_hook(string $hook): int
{
    Store::forget("cron-$hook");
    return 0;
}

function home_url(): string
{
    return (string) getenv('WOO_HOME');
}

function untrailingslashit(string $text): string
{
    return rtrim($text, '/');
}

function plugin_basename(string $file): string
{
    return basename(dirname($file)) . '/' . basename($file);
}

function plugins_url(string $path, string $file): string
{
    return home_url() . '/wp-content/plugins/' . basename(dirname($file)) . "/$path";
}

function wp_register_script(string $handle, string $address, array $needs, string $version, bool $footer): bool
{
    Store::append('scripts', "$handle $address");
    return true;
}

/** Texts of a language that the plugin brings (`…-de_DE.l10n.php`), as WordPress 6.5 and later reads them. */
function load_plugin_textdomain(string $domain, mixed $deprecated, string $folder): bool
{
    global $texts;
    $plugins = dirname(__DIR__, 2);
    $file = "$plugins/$folder/$domain-" . determine_locale() . '.l10n.php';
    $texts = is_file($file) ? (include $file)['messages'] : [];
    return $texts !== [];
}

function __(string $text, string $domain): string
{
    global $texts;
    return $texts[$text] ?? $text;
}

function determine_locale(): string
{
    return $GLOBALS['asked']['locale'] ?? 'en_US';
}

function esc_html(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES);
}

function esc_url(string $url): string
{
    return htmlspecialchars($url, ENT_QUOTES);
}

function esc_url_raw(string $url): string
{
    return $url;
}

function absint(mixed $number): int
{
    return abs((int) $number);
}

function get_query_var(string $name): mixed
{
    return '';
}

function wp_is_mobile(): bool
{
    return false;
}

function get_current_user_id(): int
{
    return (int) ($GLOBALS['asked']['customer'] ?? 0);
}

function get_the_terms(int $post, string $taxonomy): array|false
{
    return [(object) ['slug' => 'tea']];
}

function wp_get_attachment_image_url(int $picture, string $size): string|false
{
    return false;
}

if (!function_exists('mb_substr')) { // WordPress brings it where PHP has no mbstring
    function mb_substr(string $text, int $start, ?int $length = null): string
    {
        return implode('', array_slice(preg_split('//u', $text, -1, PREG_SPLIT_NO_EMPTY), $start, $length));
    }
}

function wp_generate_uuid4(): string
{
    return bin2hex(random_bytes(16));
}

function wp_cache_delete(string $key, string $group = ''): bool
{
    return true;
}

function clean_post_cache(int $id): void
{
}

class WP_Error
{
    public function __construct(private readonly string $code = '', private readonly string $message = '')
    {
    }

    public function get_error_message(): string
    {
        return $this->message;
    }
}

function is_wp_error(mixed $thing): bool
{
    return $thing instanceof WP_Error;
}

function wp_remote_request(string $url, array $options): array|WP_Error
{
    $call = curl_init($url);
    $headers = array_map(static fn ($name, $value) => "$name: $value", array_keys($options['headers']), $options['headers']);
    curl_setopt_array($call, [
        CURLOPT_CUSTOMREQUEST => $options['method'],
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT_MS => (int) ($options['timeout'] * 1000),
        CURLOPT_USERAGENT => $options['user-agent'],
    ] + ($options['body'] === null ? [] : [CURLOPT_POSTFIELDS => $options['body']]));
    $body = curl_exec($call);
    if ($body === false) {
        return new WP_Error('http_request_failed', curl_error($call));
    }
    return ['body' => $body, 'response' => ['code' => curl_getinfo($call, CURLINFO_RESPONSE_CODE)]];
}

function wp_remote_retrieve_response_code(array|WP_Error $answer): int|string
{
    return is_wp_error($answer) ? '' : $answer['response']['code'];
}

function wp_remote_retrieve_body(array|WP_Error $answer): string
{
    return is_wp_error($answer) ? '' : $answer['body'];
}

class WP_REST_Request
{
    public function get_body(): string
    {
        return (string) file_get_contents('php://input');
    }

    public function get_header(string $name): ?string
    {
        return $_SERVER['HTTP_' . strtoupper(str_replace('-', '_', $name))] ?? null;
    }
}

class WP_REST_Response
{
    public function __construct(public readonly mixed $data, public readonly int $status)
    {
    }
}

function register_rest_route(string $space, string $path, array $route): bool
{
    global $routes;
    $routes["$route[methods] /$space$path"] = $route;
    return true;
}

function __return_true(): bool
{
    return true;
}

function rest_url(string $path): string
{
    return home_url() . "/wp-json/$path";
}

/** MySQL's named locks, and nothing else of the database. */
class wpdb
{
    public string $prefix = 'wp_';

    /** @var array<string, resource> */
    private array $held = [];

    public function prepare(string $query, mixed ...$values): string
    {
        return vsprintf(str_replace('%s', "'%s'", $query), $values);
    }

    public function get_var(string $query): ?string
    {
        if (!preg_match("/^SELECT GET_LOCK\('([^']{1,64})', (\d+)\)$/", $query, $asked)) {
            throw new LogicException($query);
        }
        $file = fopen(Store::folder() . "/lock-$asked[1]", 'c');
        for ($end = microtime(true) + (int) $asked[2]; !flock($file, LOCK_EX | LOCK_NB); usleep(20_000)) {
            if (microtime(true) > $end) {
                return '0';
            }
        }
        $this->held[$asked[1]] = $file;
        return '1';
    }

    public function query(string $query): bool
    {
        if (!preg_match("/^SELECT RELEASE_LOCK\('([^']+)'\)$/", $query, $asked)) {
            throw new LogicException($query);
        }
        fclose($this->held[$asked[1]]);
        unset($this->held[$asked[1]]);
        return true;
    }
}

$wpdb = new wpdb();
